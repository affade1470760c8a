//! Depth-first search without stored states: the choices of one run, and what the next run chooses.

/// The choices of a run. The first of each is what happens in a quiet run.
#[derive(Debug, Default)]
pub struct Choices {
    /// What was chosen, and out of how many.
    made: Vec<(usize, usize)>,
    /// How many of them this run has used.
    used: usize,
}

impl Choices {
    /// One of `options`.
    pub fn choose(&mut self, options: usize) -> usize {
        assert!(options > 0);
        if self.used == self.made.len() {
            self.made.push((0, options));
        }
        let (chosen, of) = self.made[self.used];
        assert_eq!(of, options, "a run is not the same when it is done again");
        self.used += 1;
        chosen
    }

    /// Makes ready for the next run; `false` when all were done.
    pub fn next(&mut self) -> bool {
        assert_eq!(self.used, self.made.len(), "a run ended before its choices did");
        self.used = 0;
        while let Some((chosen, of)) = self.made.pop() {
            if chosen + 1 < of {
                self.made.push((chosen + 1, of));
                return true;
            }
        }
        false
    }
}

#[test]
fn every_sequence_is_tried_once() {
    let mut choices = Choices::default();
    let mut seen = Vec::new();
    loop {
        let first = choices.choose(2);
        seen.push((first, if first == 0 { choices.choose(3) } else { 9 }));
        if !choices.next() {
            break;
        }
    }
    assert_eq!(seen, [(0, 0), (0, 1), (0, 2), (1, 9)]);
}
