//! Small worlds after Watts and Strogatz, "Collective dynamics of small-world networks", Nature
//! 393 (1998), with networkx's way of moving links: rustworkx-core has no such generator.

use crate::random::Stream;

/// A ring of `n` peers, each linked to the `half` next on either side (`2 * half < n`); then
/// every link's far end is moved to a random other peer with probability `p`.
pub(super) fn watts_strogatz(n: u32, half: u32, p: f64, stream: &mut Stream) -> Vec<(u32, u32)> {
    let mut neighbours: Vec<Vec<u32>> = (0..n)
        .map(|peer| {
            (1..=half)
                .flat_map(|step| [(peer + step) % n, (peer + n - step) % n])
                .collect()
        })
        .collect();
    for step in 1..=half {
        for peer in 0..n {
            // A peer that is linked to all others has nowhere to move a link.
            if stream.unit() >= p || neighbours[peer as usize].len() as u32 >= n - 1 {
                continue;
            }
            let old = (peer + step) % n;
            let new = loop {
                let new = stream.below(u64::from(n)) as u32;
                if new != peer && !neighbours[peer as usize].contains(&new) {
                    break new;
                }
            };
            neighbours[peer as usize].retain(|&other| other != old);
            neighbours[old as usize].retain(|&other| other != peer);
            neighbours[peer as usize].push(new);
            neighbours[new as usize].push(peer);
        }
    }
    (0..n)
        .flat_map(|peer| {
            let others = &neighbours[peer as usize];
            others
                .iter()
                .filter(move |&&other| other > peer)
                .map(move |&other| (peer, other))
        })
        .collect()
}
