//! Names in messages: quoted without harm, listed within bounds, and the nearest one for a typo.

/// Longest piece of a user's text that a message repeats, in characters.
const SHOWN_MAX: usize = 60;

/// Most names that a list in a message has.
const LISTED_MAX: usize = 12;

/// A user's text in backquotes, clipped, without control characters.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_MAX).flat_map(visible).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push_str("...");
    }
    format!("`{shown}`")
}

fn visible(character: char) -> Vec<char> {
    if character.is_control() {
        character.escape_default().collect()
    } else {
        vec![character]
    }
}

/// `known locations: A, B`, or `there are no locations`; clipped where there are many.
pub(super) fn known<'a>(what: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() {
        return format!("there are no {what}");
    }
    format!("known {what}: {}", listed(&names))
}

/// `A, B, C`; `..., and 7 more` at the end where there are many.
pub(super) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(LISTED_MAX)
        .map(|name| {
            let quoted = quoted(name.as_ref());
            quoted[1..quoted.len() - 1].to_owned()
        })
        .collect();
    let more = names.len() - shown.len();
    let shown = shown.join(", ");
    if more > 0 {
        format!("{shown}, and {more} more")
    } else {
        shown
    }
}

/// `did you mean ...?` with the nearest of the names, if one is near; else the list of them.
pub(super) fn nearest_or_known<'a>(
    word: &str,
    what: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match nearest(word, &names) {
        Some(name) => format!("did you mean {}?", quoted(name)),
        None => known(what, names),
    }
}

/// The name nearest to a word, if it is near enough for a typo.
fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    // Comparing takes time in proportion to both lengths; no name is this long.
    if word.len() > 200 {
        return None;
    }
    let lower = word.to_lowercase();
    names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), *name))
        .filter(|(distance, name)| *distance <= 1.max(name.chars().count() / 3))
        // The first of several equally near ones: the order is the caller's.
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_name() {
        let names = ["horizon", "locations", "latencies"];
        assert_eq!(
            nearest_or_known("Horzon", "keys", names),
            "did you mean `horizon`?"
        );
        assert_eq!(
            nearest_or_known("quux", "keys", names),
            "known keys: horizon, locations, latencies"
        );
        assert_eq!(nearest_or_known("quux", "keys", []), "there are no keys");
    }

    #[test]
    fn long_and_unprintable_texts_do_no_harm() {
        assert_eq!(quoted("a\u{1b}[31m"), "`a\\u{1b}[31m`");
        assert_eq!(quoted(&"x".repeat(1000)).len(), SHOWN_MAX + 5);
        let many: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        assert!(listed(&many).ends_with("11, and 88 more"));
    }
}
