//! Asking memory for what will be needed soon.

/// Asks for the line of the cache in which a value begins, and does not wait for it: what reads
/// the value some time later finds it there. Many at once are refused, so ask a few at a time.
#[inline(always)]
pub(crate) fn ask_for<T>(value: &T) {
    const NEXT_TO_THE_PROCESSOR: i32 = 3;
    mem_prefetch::prefetch_read_data::<T, NEXT_TO_THE_PROCESSOR>(value);
}
