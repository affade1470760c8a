//! Text for people: lines that fit, and times.

use std::time::Duration;

/// Breaks a text between words into lines of at most `width` characters; a longer word keeps a line of its own.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The text if it fits into `width` characters, else its beginning and an ellipsis.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Seconds with a tenth: `4.2 s`.
pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Minutes and seconds, as a clock shows them: `14:05`, or `1:02:03`.
pub fn clock(time: Duration) -> String {
    let all = time.as_secs();
    let (hours, minutes, seconds) = (all / 3600, all / 60 % 60, all % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// `1 peering`, `2 peerings`.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words_and_a_long_word_stays_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a incomprehensibilities b", 5), ["a", "incomprehensibilities", "b"]);
        assert!(wrap("", 5).is_empty());
    }

    #[test]
    fn a_text_that_does_not_fit_ends_in_an_ellipsis() {
        assert_eq!(cut("peering", 7), "peering");
        assert_eq!(cut("peerings", 7), "peerin…");
    }

    #[test]
    fn times_read_as_on_a_clock() {
        assert_eq!(clock(Duration::from_secs(845)), "14:05");
        assert_eq!(clock(Duration::from_secs(3723)), "1:02:03");
        assert_eq!(seconds(Duration::from_millis(4230)), "4.2 s");
    }
}
