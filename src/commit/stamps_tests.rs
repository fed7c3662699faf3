use super::*;
use crate::index::engine::MemoryEngine;

#[test]
fn stamps_rise_over_clock_steps_and_restarts() {
    let engine = Engine::Memory(MemoryEngine::default());
    let mut stamps = Stamps::load(&engine).expect("readable");
    let first = stamps.next(1_000_000);
    let ceiling = stamps.ceiling_due().expect("the first stamp passes the empty ceiling");
    stamps.next(1_000_001);
    let later = stamps.ceiling_due().expect("a ceiling that was not written is still due");
    assert!(later > ceiling);
    engine.commit(&[Stamps::batch(later)]).expect("committed");
    stamps.raised(later);
    let stepped_back = stamps.next(900_000);
    assert!(stepped_back > first);
    assert!(stamps.ceiling_due().is_none(), "the ceiling is ahead");
    let mut restarted = Stamps::load(&engine).expect("readable");
    assert!(restarted.next(900_000) > stepped_back);
}
