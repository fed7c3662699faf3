use super::*;

#[test]
fn an_error_tells_what_where_and_why() {
    let error = IoError::new("write", "0000000001.extent", io::Error::from_raw_os_error(libc::EIO)).at(4096);
    assert_eq!(error.to_string(), "write 0000000001.extent at byte 4096: Input/output error (os error 5)");
    assert_eq!(
        (error.operation(), error.subject(), error.offset()),
        ("write", "0000000001.extent", Some(4096))
    );
    let error = IoError::new("accept on", "[::]:9000", io::Error::from_raw_os_error(libc::EMFILE));
    assert_eq!(error.to_string(), "accept on [::]:9000: Too many open files (os error 24)");
}

#[test]
fn a_full_device_or_quota_is_no_space() {
    for (errno, no_space) in
        [(libc::ENOSPC, true), (libc::EDQUOT, true), (libc::EIO, false), (libc::EFBIG, false)]
    {
        let error = IoError::new("write", "", io::Error::from_raw_os_error(errno));
        assert_eq!(error.is_no_space(), no_space, "{error}");
        assert_eq!(error.raw_os_error(), Some(errno));
    }
}
