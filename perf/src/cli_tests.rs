use super::*;

#[test]
fn sizes_have_binary_units() {
    assert_eq!(parse_size("0"), Ok(0));
    assert_eq!(parse_size("4KiB"), Ok(4096));
    assert_eq!(parse_size("3MiB"), Ok(3 << 20));
    for wrong in ["", "KiB", "4KB", "4 KiB", "-1", "99999999999999999999", "999999999999GiB"] {
        assert!(parse_size(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn durations_are_seconds_or_milliseconds() {
    assert_eq!(parse_duration("10s"), Ok(Duration::from_secs(10)));
    assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
    for wrong in ["", "10", "1m", "s", "-1s"] {
        assert!(parse_duration(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn endpoints_are_plain_http_with_a_port() {
    assert_eq!(parse_endpoint("http://127.0.0.1:9000/"), Ok("127.0.0.1:9000".to_owned()));
    for wrong in ["https://a:1", "a:1", "http://a", "http://a:1/b"] {
        assert!(parse_endpoint(wrong).is_err(), "{wrong}");
    }
}
