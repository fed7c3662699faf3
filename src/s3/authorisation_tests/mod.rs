//! Who may do what, asked of the whole node: requests over real connections, signed as clients sign them.
//!
//! | file | holds |
//! |---|---|
//! | `permissions` | what each call needs, written down from the specification and not from the table of operations |
//! | `recipes` | one request for each call, and what must be there before it |
//! | `cells` | the senders and policies that each call is tried with, and whether it must be served |
//! | `matrix` | every operation of the table in every cell |
//! | `ways_around` | requests that ask for a thing and mean another |
//! | `cost` | what must not hold a core |
//! | `fixture` | buckets, objects and an upload to try it on |
//! | `node` | the node, its people, and a client |

mod cells;
mod cost;
mod fixture;
mod matrix;
mod node;
mod permissions;
mod recipes;
mod ways_around;
