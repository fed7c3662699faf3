use super::*;

/// 24 May 2013, midnight.
const MAY_24: i64 = 1_369_353_600;

#[test]
fn basic_form() {
    let time = RequestTime::parse_basic(b"20130524T000000Z").unwrap();
    assert_eq!(time.unix_s(), MAY_24);
    assert_eq!(time.basic(), "20130524T000000Z");
    assert_eq!(time.day(), "20130524");
    let later = RequestTime::parse_basic(b"20130524T235959Z").unwrap();
    assert_eq!(later.unix_s(), MAY_24 + DAY_S - 1);
    assert_eq!(later.day_start_unix_s(), MAY_24);
    assert_eq!(RequestTime::parse_basic(b"20240229T000000Z").unwrap().unix_s(), 1_709_164_800);
}

#[test]
fn other_forms_are_refused() {
    let refused: [&[u8]; 14] = [
        b"",
        b"20130524",
        b"20130524T000000",
        b"20130524T000000z",
        b"20130524t000000Z",
        b"20130524T000000Z ",
        b"20130524T0000000",
        b"20131324T000000Z",
        b"20130230T000000Z",
        b"20130524T240000Z",
        b"20130524T006000Z",
        b"2013-05-24T00:00",
        b"19691231T235959Z",
        b"+0130524T000000Z",
    ];
    for text in refused {
        assert!(RequestTime::parse_basic(text).is_none(), "{}", text.escape_ascii());
    }
}

#[test]
fn date_header_forms() {
    for text in [
        "Fri, 24 May 2013 00:00:00 GMT",
        "Friday, 24-May-13 00:00:00 GMT",
        "Fri May 24 00:00:00 2013",
        "Fri, 24 May 2013 00:00:00 -0000",
        "20130524T000000Z",
    ] {
        let time = RequestTime::parse_date_header(text.as_bytes()).unwrap();
        assert_eq!((time.unix_s(), time.basic()), (MAY_24, "20130524T000000Z"), "{text}");
    }
    for text in ["", "yesterday", "Fri, 24 May 2013 00:00:00 +0100", "\u{fe}"] {
        assert!(RequestTime::parse_date_header(text.as_bytes()).is_none(), "{text}");
    }
}

#[test]
fn skew_bounds() {
    let time = RequestTime::parse_basic(b"20130524T000000Z").unwrap();
    for (now, skewed, future) in [
        (MAY_24, false, false),
        (MAY_24 + 900, false, false),
        (MAY_24 + 901, true, false),
        (MAY_24 - 900, false, false),
        (MAY_24 - 901, true, true),
        (i64::MIN, true, true),
        (i64::MAX, true, false),
    ] {
        assert_eq!((time.is_skewed(now), time.is_in_the_future(now)), (skewed, future), "{now}");
    }
}

#[test]
fn extended_form() {
    assert_eq!(format_extended(MAY_24), "2013-05-24T00:00:00Z");
    assert_eq!(format_extended(i64::MAX), "");
}
