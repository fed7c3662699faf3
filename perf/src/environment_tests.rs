use super::*;

#[test]
fn cpu_times_stand_after_a_command_of_any_form() {
    let stat = "12 (a ) b (c) S 1 12 12 0 -1 4194304 100 0 0 0 250 50 7 8 20 0 4 0 1 2 3";
    assert_eq!(parse_cpu(stat), Some(Duration::from_secs(3)));
    assert_eq!(parse_cpu("12 (a) S 1"), None);
}

#[test]
fn this_process_has_a_cpu_time() {
    assert!(process_cpu(std::process::id()).is_ok());
    assert!(process_cpu(u32::MAX).is_err());
}
