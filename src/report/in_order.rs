//! Pieces of a large output, made by several threads and put together in order.

use std::ops::Range;
use std::sync::mpsc::sync_channel;
use std::thread;

/// The numbers below `count` in ranges of at most `size`.
pub(super) fn pieces(count: u32, size: u32) -> Vec<Range<u32>> {
    let starts = (0..count).step_by(size as usize);
    starts
        .map(|start| start..count.min(start.saturating_add(size)))
        .collect()
}

/// Makes something of each piece, on so many threads, and takes it in the order of the pieces. A
/// thread is at most two pieces ahead, so little is in memory at once.
pub(super) fn in_order<P: Clone + Sync, T: Send, E>(
    pieces: &[P],
    threads: usize,
    make: impl Fn(P) -> T + Sync,
    take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    if threads < 2 || pieces.len() < 2 {
        return pieces.iter().cloned().map(make).try_for_each(take);
    }
    thread::scope(|scope| {
        let make = &make;
        let makers: Vec<_> = (0..threads)
            .map(|first| {
                let (sender, receiver) = sync_channel(1);
                scope.spawn(move || {
                    let mine = pieces.iter().skip(first).step_by(threads);
                    // Until all are made, or an error has ended the other side.
                    mine.cloned()
                        .map(make)
                        .all(|made| sender.send(made).is_ok())
                });
                receiver
            })
            .collect();
        // A maker that sends nothing has panicked, which the scope passes on.
        let mut made = (0..pieces.len()).map_while(|piece| makers[piece % threads].recv().ok());
        made.try_for_each(take)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_in_order_until_an_error() {
        let ranges = pieces(10, 3);
        assert_eq!(ranges, [0..3, 3..6, 6..9, 9..10]);
        for threads in [1, 2, 3, 7] {
            let mut taken = Vec::new();
            let sum = |range: Range<u32>| range.sum::<u32>();
            let all = in_order(&ranges, threads, sum, |sum| {
                taken.push(sum);
                Ok::<_, u32>(())
            });
            assert_eq!((all, &taken[..]), (Ok(()), &[3, 12, 21, 9][..]));
            let until = in_order(&ranges, threads, sum, |sum| {
                if sum < 20 { Ok(()) } else { Err(sum) }
            });
            assert_eq!(until, Err(21));
        }
        assert!(pieces(0, 3).is_empty());
    }
}
