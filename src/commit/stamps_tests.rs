use super::*;
use crate::index::engine::MemoryEngine;

#[test]
fn stamps_rise_over_clock_steps_and_restarts() {
    let engine = Engine::Memory(MemoryEngine::default());
    let mut stamps = Stamps::load(&engine).expect("readable");
    let first = stamps.next(1_000_000);
    let batch = stamps.batch().expect("the first stamp passes the empty ceiling");
    engine.commit(&[batch]).expect("committed");
    let stepped_back = stamps.next(900_000);
    assert!(stepped_back > first);
    assert!(stamps.batch().is_none(), "the ceiling is ahead");
    let mut restarted = Stamps::load(&engine).expect("readable");
    assert!(restarted.next(900_000) > stepped_back);
}
