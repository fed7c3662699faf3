use proptest::prelude::*;

use super::*;

/// Decodes `body` given in pieces that end at `cuts`; returns the payload and how many bytes the body took.
fn decode_pieces(body: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, usize, bool), ChunkedError> {
    let mut decoder = ChunkedDecoder::new();
    let mut payload = Vec::new();
    let mut taken = 0;
    let mut start = 0;
    for end in cuts.iter().copied().chain([body.len()]) {
        let mut piece = body[start..end].to_vec();
        let decoded = decoder.decode(&mut piece)?;
        payload.extend_from_slice(&piece[..decoded.written]);
        taken += decoded.read;
        if decoded.done {
            return Ok((payload, taken, true));
        }
        assert_eq!(decoded.read, piece.len(), "all is read until the end");
        start = end;
    }
    Ok((payload, taken, false))
}

fn decode(body: &[u8]) -> Result<(Vec<u8>, usize, bool), ChunkedError> {
    decode_pieces(body, &[])
}

fn encode(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for chunk in chunks {
        body.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    body
}

#[test]
fn payload_moves_to_the_front_and_what_follows_stays() {
    let mut buffer = b"4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\nGET / HTTP/1.1".to_vec();
    let decoded = ChunkedDecoder::new().decode(&mut buffer).unwrap();
    assert_eq!(decoded, Decoded { read: 24, written: 9, done: true });
    assert_eq!(&buffer[..9], b"Wikipedia");
    assert_eq!(&buffer[24..], b"GET / HTTP/1.1");
}

#[test]
fn nothing_is_read_after_the_end() {
    let mut decoder = ChunkedDecoder::new();
    assert!(decoder.decode(&mut b"0\r\n\r\n".to_vec()).unwrap().done);
    let again = decoder.decode(&mut b"more".to_vec()).unwrap();
    assert_eq!(again, Decoded { read: 0, written: 0, done: true });
}

#[test]
fn extensions_and_trailers_are_dropped() {
    let body =
        b"3;a=b;c=\"d;e\"\r\nabc\r\n0 ; x\r\nExpires: never\r\nx-amz-checksum-crc32:\tAAAAAA==\r\n\r\n";
    assert_eq!(decode(body), Ok((b"abc".to_vec(), body.len(), true)));
}

#[test]
fn sizes_may_be_written_in_several_ways() {
    for body in ["00A\r\n0123456789\r\n000\r\n\r\n", "a\r\n0123456789\r\n0\r\n\r\n"] {
        assert_eq!(decode(body.as_bytes()).unwrap().0, b"0123456789");
    }
}

#[test]
fn an_unfinished_body_is_not_done() {
    for body in
        ["", "5", "5\r\n", "5\r\nabc", "3\r\nabc", "3\r\nabc\r\n", "0\r\n", "0\r\n\r", "0\r\nA: b\r\n"]
    {
        assert!(!decode(body.as_bytes()).unwrap().2, "{body:?}");
    }
}

#[test]
fn malformed_framing_is_refused() {
    for body in [
        "\r\n0\r\n\r\n",
        " 3\r\nabc\r\n",
        "g\r\n",
        "-1\r\n",
        "+3\r\nabc",
        "0x3\r\nabc",
        "3 \r\nabc\r\n",
        "3 4\r\n",
        // Line ends: lone LF, lone CR, none.
        "3\nabc\r\n0\r\n\r\n",
        "3\rabc\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "3\r\nabcd\r\n",
        "3\r\nab\r\n0\r\n\r\n",
        "0\n\n",
        "0\r\n\n",
        "0\r\n\rX",
        "3;a\nabc\r\n",
        "3;a\0\r\n",
        "3;a\r\r\n",
        // Trailer lines that are no fields.
        "0\r\nGET / HTTP/1.1\r\n\r\n",
        "0\r\n: a\r\n\r\n",
        "0\r\n A: b\r\n\r\n",
        "0\r\nA : b\r\n\r\n",
        "0\r\nA: b\r\n c\r\n\r\n",
        "0\r\nA: b\nC: d\r\n\r\n",
        "0\r\nA: b\0\r\n\r\n",
    ] {
        assert_eq!(decode(body.as_bytes()), Err(ChunkedError::Malformed), "{body:?}");
    }
}

#[test]
fn every_part_that_is_not_payload_is_bounded() {
    assert_eq!(decode(b"10000000000000000\r\n"), Err(ChunkedError::SizeOverflow));
    assert_eq!(decode("0".repeat(CHUNK_LINE_BYTES_MAX + 1).as_bytes()), Err(ChunkedError::LineTooLong));
    let extension = format!("1;{}", "a".repeat(CHUNK_LINE_BYTES_MAX));
    assert_eq!(decode(extension.as_bytes()), Err(ChunkedError::LineTooLong));
    let blanks = format!("1{}", " ".repeat(CHUNK_LINE_BYTES_MAX));
    assert_eq!(decode(blanks.as_bytes()), Err(ChunkedError::LineTooLong));
    let chunk = format!("1;{}\r\nx\r\n", "a".repeat(CHUNK_LINE_BYTES_MAX - 2));
    let chunks = chunk.repeat(CHUNK_EXTENSIONS_BYTES_MAX / CHUNK_LINE_BYTES_MAX + 1);
    assert_eq!(decode(chunks.as_bytes()), Err(ChunkedError::ExtensionsTooLong));
    let trailers = format!("0\r\n{}", "a: b\r\n".repeat(TRAILER_BYTES_MAX / 6 + 1));
    assert_eq!(decode(trailers.as_bytes()), Err(ChunkedError::TrailerTooLong));
}

#[test]
fn the_largest_size_is_taken_at_its_word() {
    let mut decoder = ChunkedDecoder::new();
    let mut buffer = b"ffffffffffffffff\r\nabc".to_vec();
    let decoded = decoder.decode(&mut buffer).unwrap();
    assert_eq!((decoded.written, decoded.done), (3, false));
}

#[test]
fn an_error_is_final() {
    let mut decoder = ChunkedDecoder::new();
    assert!(decoder.decode(&mut b"x".to_vec()).is_err());
    assert_eq!(decoder.decode(&mut b"0\r\n\r\n".to_vec()), Err(ChunkedError::Malformed));
}

proptest! {
    #[test]
    fn pieces_decode_like_the_whole(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..8),
        mut cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12),
    ) {
        let mut stream = encode(&chunks);
        let body_bytes = stream.len();
        stream.extend_from_slice(b"next request");
        cuts.sort_by_key(|cut| cut.index(stream.len()));
        let cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        let (payload, taken, done) = decode_pieces(&stream, &cuts).unwrap();
        prop_assert!(done);
        prop_assert_eq!(taken, body_bytes);
        prop_assert_eq!(payload, chunks.concat());
    }

    /// Also broken bodies: the verdict does not depend on where the pieces end.
    #[test]
    fn the_verdict_does_not_depend_on_the_pieces(body in "([0-9a-c]{1,2}(;[a=]{0,3})?\r?\n?[a-z\r\n]{0,12}(\r\n)?){0,4}0?\r?\n?(A: b\r\n)?\r?\n?") {
        let bytes = body.as_bytes();
        let every_byte: Vec<usize> = (1..bytes.len()).collect();
        prop_assert_eq!(decode_pieces(bytes, &every_byte), decode(bytes));
    }

    #[test]
    fn random_bytes_never_panic(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..6)) {
        let mut decoder = ChunkedDecoder::new();
        for mut piece in pieces {
            if let Ok(decoded) = decoder.decode(&mut piece) {
                prop_assert!(decoded.written <= decoded.read && decoded.read <= piece.len());
            }
        }
    }
}
