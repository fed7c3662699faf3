use core::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::auth::oracle;

const TRAILER: &str = "x-amz-checksum-crc32c";
const TRAILER_VALUE: &str = "sOO8/Q==";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Trailer form of which the head announced no field.
    NoFields,
    Trailer,
    Signed,
    SignedTrailer,
}

impl Form {
    const ALL: [Self; 4] = [Self::NoFields, Self::Trailer, Self::Signed, Self::SignedTrailer];

    fn has_trailer(self) -> bool {
        matches!(self, Self::Trailer | Self::SignedTrailer)
    }

    fn decoder(self, decoded_length: usize) -> AwsChunkedDecoder {
        let hash = match self {
            Self::NoFields | Self::Trailer => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            Self::Signed => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::SignedTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        };
        // As clients spell it in `x-amz-trailer`.
        let trailer = self.has_trailer().then_some(&b"X-Amz-Checksum-Crc32c"[..]);
        AwsChunkedDecoder::new(oracle::chunked_upload(hash).1, trailer, decoded_length as u64).unwrap()
    }

    /// The body as a client sends it; the last chunk is the empty one that ends it.
    fn encode(self, chunks: &[&[u8]], field_end: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut previous = match self {
            Self::NoFields | Self::Trailer => None,
            Self::Signed => Some(oracle::chunked_upload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD").0),
            Self::SignedTrailer => {
                Some(oracle::chunked_upload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER").0)
            }
        };
        for data in chunks.iter().copied().chain([&[][..]]) {
            let mut line = format!("{:x}", data.len());
            if let Some(previous) = &mut previous {
                *previous = oracle::sign_chunk(data, previous);
                write!(line, ";chunk-signature={previous}").unwrap();
            }
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(data);
            if !data.is_empty() {
                out.extend_from_slice(b"\r\n");
            }
        }
        if self.has_trailer() {
            out.extend_from_slice(format!("{TRAILER}:{TRAILER_VALUE}{field_end}").as_bytes());
            if let Some(previous) = &previous {
                let signature = oracle::sign_trailer(TRAILER, TRAILER_VALUE, previous);
                out.extend_from_slice(format!("x-amz-trailer-signature:{signature}\r\n").as_bytes());
            }
        }
        out.extend_from_slice(b"\r\n");
        out
    }
}

/// Decodes pieces of the given sizes, in turn; returns the payload and the bytes that were left over.
fn decode(
    decoder: &mut AwsChunkedDecoder,
    body: &[u8],
    pieces: &[usize],
) -> Result<(Vec<u8>, usize), AwsChunkedError> {
    let mut payload = Vec::new();
    let mut at = 0;
    for size in pieces.iter().copied().cycle() {
        let end = body.len().min(at + size.max(1));
        let mut buffer = body[at..end].to_vec();
        let decoded = decoder.decode(&mut buffer)?;
        assert!(decoded.written <= decoded.read && decoded.read <= buffer.len());
        assert!(decoded.done || decoded.read == buffer.len());
        payload.extend_from_slice(&buffer[..decoded.written]);
        at += decoded.read;
        if decoded.done || at == body.len() {
            break;
        }
    }
    decoder.finish()?;
    Ok((payload, body.len() - at))
}

fn decode_whole(form: Form, body: &[u8], decoded_length: usize) -> Result<Vec<u8>, AwsChunkedError> {
    decode(&mut form.decoder(decoded_length), body, &[body.len()]).map(|(payload, _)| payload)
}

fn unsigned(body: &str, decoded_length: usize) -> Result<Vec<u8>, AwsChunkedError> {
    decode_whole(Form::Trailer, body.as_bytes(), decoded_length)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_split_gives_the_same_payload(
        form in proptest::sample::select(Form::ALL.to_vec()),
        full in proptest::collection::vec(8192usize..20_000, 0..3),
        last in 0usize..9000,
        pieces in proptest::collection::vec(prop_oneof![1usize..4, 1usize..200, 1usize..70_000], 1..20),
        excess in 0usize..10,
        lf in any::<bool>(),
    ) {
        let total = full.iter().sum::<usize>() + last;
        let payload: Vec<u8> = (0..total).map(|index| ((index * 31) >> 3) as u8).collect();
        let mut rest = &payload[..];
        let mut chunks = Vec::new();
        for size in full.iter().chain((last > 0).then_some(&last)) {
            let (chunk, after) = rest.split_at(*size);
            chunks.push(chunk);
            rest = after;
        }
        let mut body = form.encode(&chunks, if lf { "\n\r\n" } else { "\r\n" });
        // Bytes of the next request must stay untouched.
        body.extend(core::iter::repeat_n(b'\r', excess));
        let mut decoder = form.decoder(total);
        let (decoded, left) = decode(&mut decoder, &body, &pieces).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(decoded == payload);
        // The pieces may end before the excess starts.
        prop_assert!(left <= excess);
        let mut after = body[body.len() - excess..].to_vec();
        prop_assert_eq!(decoder.decode(&mut after), Ok(Decoded { read: 0, written: 0, done: true }));
        let trailers = decoder.trailers();
        if form.has_trailer() {
            prop_assert_eq!(trailers, &[(TRAILER.to_owned(), TRAILER_VALUE.to_owned())]);
        } else {
            prop_assert!(trailers.is_empty());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        form in proptest::sample::select(Form::ALL.to_vec()),
        body in proptest::collection::vec(prop_oneof![3 => proptest::sample::select(b"0123456789abcdef;:\r\n-xchunksigatre=".to_vec()), 1 => any::<u8>()], 0..400),
        pieces in proptest::collection::vec(1usize..50, 1..5),
        length in any::<usize>(),
    ) {
        let _ = decode(&mut form.decoder(length), &body, &pieces);
    }

    #[test]
    fn a_body_cut_short_is_never_whole(
        form in proptest::sample::select(Form::ALL.to_vec()),
        cut in any::<prop::sample::Index>(),
    ) {
        let payload = [7; 100];
        let body = form.encode(&[&payload], "\r\n");
        let cut = cut.index(body.len());
        prop_assert_eq!(decode_whole(form, &body[..cut], 100), Err(AwsChunkedError::EndedEarly));
    }
}

#[test]
fn every_bit_of_a_signed_body_matters() {
    for form in [Form::Signed, Form::SignedTrailer] {
        let payload = [b'a'; 0xab];
        let body = form.encode(&[&payload], "\r\n");
        assert_eq!(decode_whole(form, &body, payload.len()).as_deref(), Ok(&payload[..]));
        let size_digits = 0..2;
        let name_start = body.windows(6).position(|window| window == b"x-amz-").unwrap_or(body.len());
        for at in 0..body.len() {
            for bit in 0..8 {
                let mut changed = body.clone();
                changed[at] ^= 1 << bit;
                let same_but_case = changed[at].eq_ignore_ascii_case(&body[at])
                    && (size_digits.contains(&at)
                        || (at >= name_start && is_name(&body[name_start..], at - name_start)));
                let accepted = decode_whole(form, &changed, payload.len()).is_ok();
                assert_eq!(accepted, same_but_case, "{form:?} byte {at}: {}", changed.escape_ascii());
            }
        }
    }
}

/// Whether the byte belongs to the name of a trailer field.
fn is_name(trailer: &[u8], at: usize) -> bool {
    let start = trailer[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |lf| lf + 1);
    !trailer[start..at].contains(&b':')
}

#[test]
fn chunks_may_not_be_reordered_repeated_or_dropped() {
    let (first, second) = ([1; 8192], [2; 8192]);
    let body = Form::Signed.encode(&[&first, &second], "\r\n");
    let chunk = (body.len() - Form::Signed.encode(&[], "\r\n").len()) / 2;
    let (one, two, end) = (&body[..chunk], &body[chunk..2 * chunk], &body[2 * chunk..]);
    assert!(decode_whole(Form::Signed, &[one, two, end].concat(), 16_384).is_ok());
    for (parts, length) in [
        (vec![two, one, end], 16_384),
        (vec![one, one, end], 16_384),
        (vec![one, end], 8192),
        (vec![two, end], 8192),
        (vec![end], 0),
        (vec![one, two, two, end], 24_576),
    ] {
        let result = decode_whole(Form::Signed, &parts.concat(), length);
        assert_eq!(result, Err(AwsChunkedError::SignatureMismatch), "{length}");
    }
}

#[test]
fn documented_bodies() {
    let payload = vec![b'a'; 66_560];
    for form in [Form::Signed, Form::SignedTrailer] {
        let body = form.encode(&[&payload[..65_536], &payload[65_536..]], "\r\n");
        if form == Form::Signed {
            assert_eq!(body.len(), 66_824, "as the documentation says");
        }
        assert_eq!(decode_whole(form, &body, payload.len()).as_ref(), Ok(&payload));
    }
}

#[test]
fn framing_faults() {
    use AwsChunkedError::{LengthMismatch, Malformed};

    let end = format!("0\r\n{TRAILER}:{TRAILER_VALUE}\r\n\r\n");
    assert_eq!(unsigned(&format!("5\r\nhello\r\n{end}"), 5).as_deref(), Ok(&b"hello"[..]));
    assert_eq!(unsigned(&end, 0).as_deref(), Ok(&b""[..]));
    assert_eq!(unsigned(&format!("0005\r\nhello\r\n{end}"), 5).as_deref(), Ok(&b"hello"[..]));
    let long = "1".repeat(CHUNK_LINE_BYTES_MAX + 1);
    for (body, length, expected) in [
        ("5\nhello\r\n0\r\n\r\n", 5, Malformed),
        ("5\r\nhello\n0\r\n\r\n", 5, Malformed),
        ("5\r\nhelloX\r\n0\r\n\r\n", 5, Malformed),
        ("5\r\nhell\r\n0\r\n\r\n", 5, Malformed),
        ("\r\nhello\r\n0\r\n\r\n", 5, Malformed),
        ("5 \r\nhello\r\n0\r\n\r\n", 5, Malformed),
        ("0x5\r\nhello\r\n0\r\n\r\n", 5, Malformed),
        ("+5\r\nhello\r\n0\r\n\r\n", 5, Malformed),
        ("-5\r\nhello\r\n0\r\n\r\n", 5, Malformed),
        ("5g\r\nhello\r\n0\r\n\r\n", 5, Malformed),
        ("5;chunk-signature=00\r\nhello\r\n0\r\n\r\n", 5, Malformed),
        ("5;name=value\r\nhello\r\n0\r\n\r\n", 5, Malformed),
        ("10000000000000000\r\nhello\r\n0\r\n\r\n", 5, Malformed),
        (long.as_str(), 5, Malformed),
        ("ffffffffffffffff\r\nhello\r\n0\r\n\r\n", 5, LengthMismatch),
        ("5\r\nhello\r\n0\r\n\r\n", 4, LengthMismatch),
        ("5\r\nhello\r\n0\r\n\r\n", 6, LengthMismatch),
        ("0\r\n\r\n", 1, LengthMismatch),
    ] {
        assert_eq!(unsigned(body, length), Err(expected), "{body:?}");
    }
    let mut decoder = Form::Trailer.decoder(5);
    assert_eq!(decoder.decode(&mut b"nonsense\r\n".to_vec()), Err(Malformed));
    assert_eq!(decoder.decode(&mut b"5\r\n".to_vec()), Err(Malformed), "an error lasts");
    assert_eq!(decoder.finish(), Err(Malformed));
}

#[test]
fn signed_form_needs_signatures() {
    for body in [
        "5\r\nhello\r\n",
        "5;\r\nhello\r\n",
        "5;chunk-signature=\r\nhello\r\n",
        "5;chunk-signature=00\r\nhello\r\n",
        "5;other=value\r\nhello\r\n",
    ] {
        assert_eq!(
            decode_whole(Form::Signed, body.as_bytes(), 5),
            Err(AwsChunkedError::Malformed),
            "{body:?}"
        );
    }
    let zeros = format!("5;chunk-signature={}\r\nhello\r\n", "0".repeat(64));
    assert_eq!(decode_whole(Form::Signed, zeros.as_bytes(), 5), Err(AwsChunkedError::SignatureMismatch));
}

#[test]
fn small_chunks() {
    let (full, small) = ("x".repeat(8192), "x".repeat(8191));
    let end = format!("0\r\n{TRAILER}:{TRAILER_VALUE}\r\n\r\n");
    let good = format!("2000\r\n{full}\r\n1fff\r\n{small}\r\n{end}");
    assert_eq!(unsigned(&good, 8192 + 8191).map(|payload| payload.len()), Ok(8192 + 8191));
    let bad = format!("2000\r\n{full}\r\n1fff\r\n{small}\r\n1\r\nx\r\n{end}");
    assert_eq!(unsigned(&bad, 8192 + 8192), Err(AwsChunkedError::ChunkTooSmall { chunk: 2, bytes: 8191 }));
    let bad = format!("1\r\nx\r\n2000\r\n{full}\r\n{end}");
    assert_eq!(unsigned(&bad, 8193), Err(AwsChunkedError::ChunkTooSmall { chunk: 1, bytes: 1 }));
}

#[test]
fn trailer_faults() {
    let good = format!("{TRAILER}:{TRAILER_VALUE}\r\n\r\n");
    assert!(unsigned(&format!("0\r\n{good}"), 0).is_ok());
    assert!(unsigned("0\r\nX-Amz-Checksum-CRC32C: \t AAAAAA== \r\n\r\n", 0).is_ok());
    for trailer in [
        "\r\n",
        "x-amz-checksum-crc32c\r\n\r\n",
        "x-amz-checksum-crc32:AAAAAA==\r\n\r\n",
        "x-amz-checksum-crc32c :AAAAAA==\r\n\r\n",
        "x-amz-checksum-crc32c:AAAAAA==\r\nx-amz-checksum-crc32c:AAAAAA==\r\n\r\n",
        "x-amz-checksum-crc32c:AAAAAA==\r\nx-amz-meta-a:b\r\n\r\n",
        "x-amz-checksum-crc32c:AAAAAA==\r\nx-amz-trailer-signature:00\r\n\r\n",
        "x-amz-checksum-crc32c:AAAAAA==\n\n",
        "x-amz-checksum-crc32c:AAAAAA==\n\n\r\n",
        "x-amz-checksum-crc32c:AAAAAA==\nx-amz-checksum-crc32c:AAAAAA==\r\n\r\n",
        "x-amz-checksum-crc32c:AA\rAA==\r\n\r\n",
        "x-amz-checksum-crc32c:AA\u{7f}AA==\r\n\r\n",
        "\n\r\n\r\n",
    ] {
        let body = format!("0\r\n{trailer}");
        assert_eq!(unsigned(&body, 0), Err(AwsChunkedError::MalformedTrailer), "{trailer:?}");
    }
    let not_text = [b"0\r\nx-amz-checksum-crc32c:", &[0xff, 0xfe][..], b"\r\n\r\n"].concat();
    assert_eq!(decode_whole(Form::Trailer, &not_text, 0), Err(AwsChunkedError::MalformedTrailer));
    let unexpected = format!("0\r\n{good}");
    assert_eq!(
        decode_whole(Form::NoFields, unexpected.as_bytes(), 0),
        Err(AwsChunkedError::MalformedTrailer)
    );
}

#[test]
fn seals_and_announcements() {
    for seal in [PayloadSeal::Unsigned, PayloadSeal::Sha256([0; 32])] {
        assert_eq!(AwsChunkedDecoder::new(seal, None, 0).err(), Some(AwsChunkedError::Malformed));
    }
    let not_text = AwsChunkedDecoder::new(PayloadSeal::UnsignedTrailer, Some(&[0xff]), 0);
    assert_eq!(not_text.err(), Some(AwsChunkedError::MalformedTrailer));
    let seal = oracle::chunked_upload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD").1;
    let mut decoder = AwsChunkedDecoder::new(seal, Some(TRAILER.as_bytes()), 0).unwrap();
    let body = Form::Signed.encode(&[], "\r\n");
    assert!(decode(&mut decoder, &body, &[body.len()]).is_ok(), "a form without trailer needs none");
}

#[test]
fn trailers_are_bounded() {
    let names: Vec<String> = (0..5).map(|index| format!("x-amz-field-{index}")).collect();
    let decode_fields = |count: usize| {
        let mut decoder = AwsChunkedDecoder::new(
            PayloadSeal::UnsignedTrailer,
            Some(names[..count].join(", ").as_bytes()),
            0,
        )
        .unwrap();
        let mut body = "0\r\n".to_owned();
        for name in &names[..count] {
            write!(body, "{name}:{}\r\n", "A".repeat(CHUNK_LINE_BYTES_MAX - 50)).unwrap();
        }
        decode(&mut decoder, format!("{body}\r\n").as_bytes(), &[300]).map(|_| decoder.trailers().len())
    };
    assert_eq!(decode_fields(4), Ok(4));
    assert_eq!(decode_fields(5), Err(AwsChunkedError::MalformedTrailer));
    let long = format!("0\r\n{TRAILER}:{}\r\n\r\n", "A".repeat(CHUNK_LINE_BYTES_MAX));
    assert_eq!(unsigned(&long, 0), Err(AwsChunkedError::Malformed));
}

#[test]
fn signed_trailer_faults() {
    use AwsChunkedError::{MalformedTrailer, SignatureMismatch};

    let body = String::from_utf8(Form::SignedTrailer.encode(&[], "\r\n")).unwrap();
    let decode = |body: &str| decode_whole(Form::SignedTrailer, body.as_bytes(), 0).map(|_| ());
    assert_eq!(decode(&body), Ok(()));
    let (rest, signature) = body.split_once("x-amz-trailer-signature:").unwrap();
    let (signature, _) = signature.split_once("\r\n").unwrap();
    let (size_line, field) = rest.split_once("\r\n").unwrap();
    for (changed, expected) in [
        (format!("{rest}\r\n"), MalformedTrailer),
        (format!("{rest}x-amz-trailer-signature:{}\r\n\r\n", "0".repeat(64)), SignatureMismatch),
        (format!("{rest}x-amz-trailer-signature:\r\n\r\n"), SignatureMismatch),
        (body.replace(TRAILER_VALUE, "AAAAAA=="), SignatureMismatch),
        (body.replace(TRAILER, "x-amz-checksum-crc64nvme"), MalformedTrailer),
        (format!("{size_line}\r\nx-amz-trailer-signature:{signature}\r\n{field}\r\n"), SignatureMismatch),
        (format!("{rest}x-amz-trailer-signature:{signature}\r\nx-amz-meta-a:b\r\n\r\n"), MalformedTrailer),
    ] {
        assert_eq!(decode(&changed), Err(expected), "{changed}");
    }
}
