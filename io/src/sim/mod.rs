//! A disk in memory that behaves as badly as a real one may: see [`SimulatedDisk`] for what it does and
//! what a store on top of it must survive. Everything random comes from one seed.

mod disk;
mod extent;
mod seed;

pub use disk::{Operation, SimulatedDisk};
