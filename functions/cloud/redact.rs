//! Keeps tokens out of every text that may be stored, logged or shown.

/// The most of a service's words that is kept, in bytes.
const LONGEST: usize = 1024;

/// What stands where a secret was.
const REDACTED: &str = "[redacted]";

/// What a secret follows, and the least length that makes the word behind it one (prose follows these too).
const MARKERS: [(&str, usize); 8] = [
    ("client_assertion=", 1),
    ("client_assertion\":\"", 1),
    ("client_secret=", 1),
    ("client_secret\":\"", 1),
    ("secretText\":\"", 1),
    ("access_token\":\"", 1),
    ("Bearer ", 16),
    ("aivenv1 ", 4),
];

/// A service's text without the secrets given, without anything shaped like a token, and at most 1 kB long.
pub fn redact(text: &str, secrets: &[&str]) -> String {
    // A secret may straddle a cut, so cuts come after; what has a marker or a shape is known by its first half.
    let mut clean = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
        clean = clean.replace(secret, REDACTED);
    }
    let mut clean = shortened(&clean, 8 * LONGEST).to_owned();
    for (marker, least) in MARKERS {
        clean = replace_words_after(&clean, marker, least, false);
    }
    // Every JWT begins so: base64url of `{"`.
    clean = replace_words_after(&clean, "eyJ", 8, true);
    shortened(&clean, LONGEST).to_owned()
}

/// Replaces each word of at least `least` characters that follows `marker`, and the marker too if it is part of the secret.
fn replace_words_after(text: &str, marker: &str, least: usize, with_marker: bool) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(marker) {
        let (before, from) = rest.split_at(at);
        let word = &from[marker.len()..];
        let end = word.find(|c: char| !is_token_char(c)).unwrap_or(word.len());
        clean.push_str(before);
        if end >= least {
            clean.push_str(if with_marker { "" } else { marker });
            clean.push_str(REDACTED);
        } else {
            clean.push_str(&from[..marker.len() + end]);
        }
        rest = &word[end..];
    }
    clean + rest
}

/// What base64, base64url, JWTs and form encoding are made of.
fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.~+/=%".contains(c)
}

/// The longest prefix of at most so many bytes.
fn shortened(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shaped_like_a_token_stays() {
        let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln";
        for (text, expected) in [
            (format!("the token {jwt} is bad"), "the token [redacted] is bad"),
            (format!("grant=x&client_assertion={jwt}&scope=y"), "grant=x&client_assertion=[redacted]&scope=y"),
            (format!(r#"{{"client_assertion":"{jwt}"}}"#), r#"{"client_assertion":"[redacted]"}"#),
            (r#"{"secretText":"a~b.C-d_e"}"#.to_owned(), r#"{"secretText":"[redacted]"}"#),
            ("Authorization: aivenv1 a+b/c==".to_owned(), "Authorization: aivenv1 [redacted]"),
            ("Bearer opaque-token-of-some-length".to_owned(), "Bearer [redacted]"),
            ("a Bearer token is missing".to_owned(), "a Bearer token is missing"),
            ("the key canary-1 twice canary-1".to_owned(), "the key [redacted] twice [redacted]"),
        ] {
            assert_eq!(redact(&text, &["canary-1"]), expected);
        }
    }

    #[test]
    fn a_text_is_cut_to_a_kilobyte_between_characters() {
        let text = redact(&"é".repeat(2000), &[]);
        assert_eq!(text.len(), 1024);
    }

    #[test]
    fn a_secret_across_the_cut_does_not_leave_its_first_half() {
        let text = format!("{}supersecret", "x".repeat(1020));
        assert!(!redact(&text, &["supersecret"]).contains("supe"));
    }
}
