use proptest::prelude::*;

use super::*;

proptest! {
    /// The bitmap agrees with a plain vector of booleans.
    #[test]
    fn bitmap_matches_a_vector(
        blocks in 1u32..700,
        steps in proptest::collection::vec((any::<u32>(), 1u32..200, any::<bool>()), 1..60),
    ) {
        let mut bitmap = BlockBitmap::all_used(blocks);
        let mut model = vec![true; blocks as usize];
        for (position, length, take) in steps {
            let start = position % blocks;
            let end = (start + length).min(blocks);
            let range = start as usize..end as usize;
            if take {
                let found = bitmap.find(start, length);
                let expected = model_find(&model, start, length);
                prop_assert_eq!(&found, &expected);
                if let Some(found) = found {
                    model[found.start as usize..found.end as usize].fill(true);
                    bitmap.take(found);
                }
            } else if model[range.clone()].iter().all(|&used| used) {
                model[range].fill(false);
                bitmap.give_back(start..end);
            }
            prop_assert_eq!(bitmap.free_blocks() as usize, model.iter().filter(|&&used| !used).count());
            for block in 0..blocks {
                prop_assert_eq!(bitmap.is_used(block), model[block as usize]);
            }
        }
    }
}

fn model_find(model: &[bool], from: u32, wanted: u32) -> Option<Range<u32>> {
    let mut best: Option<Range<u32>> = None;
    let mut at = from;
    while (at as usize) < model.len() {
        if model[at as usize] {
            at += 1;
            continue;
        }
        let start = at;
        while (at as usize) < model.len() && !model[at as usize] && at - start < wanted {
            at += 1;
        }
        if at - start == wanted {
            return Some(start..at);
        }
        if best.as_ref().is_none_or(|best| at - start > best.end - best.start) {
            best = Some(start..at);
        }
    }
    best
}
