use super::*;

#[test]
fn reads_and_prints_sizes() {
    for (text, bytes) in
        [("0B", 0), ("1B", 1), ("4KiB", 4096), ("256MiB", 268_435_456), ("16GiB", 1 << 34), ("3TiB", 3 << 40)]
    {
        assert_eq!(ByteSize::parse(text), Some(ByteSize::from_bytes(bytes)), "{text}");
        assert_eq!(ByteSize::from_bytes(bytes).to_string(), text);
    }
    assert_eq!(ByteSize::parse("1024"), ByteSize::parse("1 KiB"));
}

#[test]
fn refuses_what_is_no_size() {
    for text in
        ["", "MiB", "-1", "1.5GiB", "1MB", "1mib", "1  KiB", "1KiB ", "16777216TiB", "99999999999999999999"]
    {
        assert_eq!(ByteSize::parse(text), None, "{text}");
    }
}

#[test]
fn reads_and_prints_durations() {
    for (text, ms) in
        [("0s", 0), ("1ms", 1), ("30s", 30_000), ("90s", 90_000), ("5m", 300_000), ("1h", 3_600_000)]
    {
        assert_eq!(parse_duration(text), Some(Duration::from_millis(ms)), "{text}");
        assert_eq!(format_duration(Duration::from_millis(ms)), text);
    }
    for text in ["", "30", "s", "-1s", "1d", "1.5s"] {
        assert_eq!(parse_duration(text), None, "{text}");
    }
}
