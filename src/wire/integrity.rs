//! What a file is known by where only that very file may be used: subresource integrity, and the
//! sources of a content-security policy.

use sha2::{Digest, Sha256};

/// `sha256-` and the SHA-256 of `bytes` in base64.
///
/// <https://www.w3.org/TR/SRI/#integrity-metadata-description>
pub fn integrity(bytes: &[u8]) -> String {
    format!("sha256-{}", base64(&Sha256::digest(bytes)))
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| -> String {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let letter = |index: usize| {
            let six = (bits >> (18 - 6 * index)) & 63;
            if index <= chunk.len() { char::from(LETTERS[six as usize]) } else { '=' }
        };
        (0..4).map(letter).collect()
    };
    bytes.chunks(3).map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integrity_of_a_file_is_that_of_other_programs() {
        // `printf "alert('Hello, world.');" | openssl dgst -sha256 -binary | openssl base64`
        let script = b"alert('Hello, world.');";
        assert_eq!(integrity(script), "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=");
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        // Section 10 of the RFC.
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
