//! The job over a simulated node.

use super::*;
