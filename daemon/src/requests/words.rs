//! Two words that a person compares between the terminal and the page.

/// Short, plain, unlike one another.
const WORDS: [&str; 128] = [
    "acorn", "amber", "anchor", "apple", "apron", "arrow", "attic", "bacon", "badge", "bamboo", "banjo", "barrel",
    "basil", "beacon", "bell", "birch", "bishop", "blanket", "bottle", "branch", "bridge", "bronze", "bucket",
    "butter", "cabin", "cactus", "camel", "candle", "canoe", "carbon", "castle", "cedar", "cello", "cherry", "chalk",
    "cider", "cinema", "clover", "cobalt", "comet", "copper", "coral", "cotton", "crane", "cricket", "crystal",
    "daisy", "desert", "domino", "dragon", "drum", "eagle", "easel", "ember", "engine", "falcon", "feather", "fender",
    "fiddle", "forest", "fossil", "fountain", "galaxy", "garlic", "ginger", "glacier", "goblet", "granite", "guitar",
    "hammer", "harbor", "hazel", "helmet", "honey", "igloo", "island", "ivory", "jacket", "jasmine", "jungle",
    "kettle", "kiwi", "ladder", "lagoon", "lantern", "lemon", "lily", "lobster", "magnet", "mango", "maple", "marble",
    "meadow", "melon", "mirror", "mosaic", "nectar", "nickel", "oasis", "ocean", "olive", "onion", "orbit", "otter",
    "paddle", "panda", "parrot", "pearl", "pepper", "piano", "pillow", "plum", "pocket", "quartz", "rabbit", "raven",
    "ribbon", "rocket", "saddle", "salmon", "shadow", "silver", "spider", "tiger", "tulip", "velvet", "walnut",
    "yacht",
];

/// Returns two different words, one of 16,256 pairs: enough to tell one's own request from another that pops up meanwhile.
pub(super) fn two() -> String {
    let mut bytes = [0_u8; 2];
    // Linux cannot fail here once it has booted (getrandom(2)).
    let _ = getrandom::fill(&mut bytes);
    pair(bytes)
}

fn pair(bytes: [u8; 2]) -> String {
    let [first, second] = bytes.map(|byte| usize::from(byte) % WORDS.len());
    let second = if second == first { (second + 1) % WORDS.len() } else { second };
    format!("{} {}", WORDS[first], WORDS[second])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_there_once_and_readable() {
        let mut sorted = WORDS.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), WORDS.len());
        assert!(WORDS.iter().all(|word| word.len() < 9 && word.bytes().all(|byte| byte.is_ascii_lowercase())));
        assert_eq!(two().split(' ').count(), 2);
    }

    #[test]
    fn the_two_words_differ() {
        for byte in 0..=u8::MAX {
            let words = pair([byte, byte]);
            let (first, second) = words.split_once(' ').unwrap();
            assert_ne!(first, second);
        }
    }
}
