use super::*;

#[test]
fn a_manual_clock_moves_only_when_told_with_all_its_clones() {
    let clock = Clock::manual(1_700_000_000_000);
    let other = clock.clone();
    assert_eq!((clock.unix_ms(), clock.monotonic_us()), (1_700_000_000_000, 0));
    clock.advance(Duration::from_micros(2_500));
    assert_eq!((other.unix_ms(), other.monotonic_us()), (1_700_000_000_002, 2_500));
    other.advance(Duration::from_micros(500));
    assert_eq!((clock.unix_ms(), clock.monotonic_us()), (1_700_000_000_003, 3_000));
}

#[test]
fn the_system_clock_is_of_this_century_and_does_not_go_back() {
    let clock = Clock::system();
    assert!(clock.unix_ms() > 1_600_000_000_000);
    let before = clock.monotonic_us();
    std::thread::sleep(Duration::from_millis(2));
    assert!(clock.monotonic_us() >= before + 2_000);
}
