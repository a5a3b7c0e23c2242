//! What the machine has: the memory a run may take, its cores, the width of the terminal.

/// What is assumed where the system does not say how much memory is free: 16 GiB.
const ASSUMED_BYTES: u64 = 16 << 30;

/// The memory in bytes that a run may take: what is available now, so that a network that
/// would not fit is refused before it is built.
pub(super) fn memory_limit_bytes() -> u64 {
    std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| available_bytes(&text))
        .unwrap_or(ASSUMED_BYTES)
}

/// While it is there, the system gives memory in small pages only: what runs for a moment would
/// wait longer for large ones to be cleared than it gains by them.
///
/// It tells Linux, for the whole process (prctl(2), PR_SET_THP_DISABLE). Elsewhere, and where
/// large pages are off anyway, it does nothing.
pub(super) struct SmallPages {
    #[cfg(target_os = "linux")]
    asked: bool,
}

#[cfg(target_os = "linux")]
impl SmallPages {
    pub(super) fn ask() -> Self {
        use rustix::thread::{disable_transparent_huge_pages, transparent_huge_pages_are_disabled};
        let are_given = transparent_huge_pages_are_disabled() == Ok(false);
        SmallPages {
            asked: are_given && disable_transparent_huge_pages(true).is_ok(),
        }
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallPages {
    fn drop(&mut self) {
        if self.asked {
            // Small pages will do, too.
            let _ = rustix::thread::disable_transparent_huge_pages(false);
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl SmallPages {
    pub(super) fn ask() -> Self {
        SmallPages {}
    }
}

/// How many threads run at once.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Columns where the output is no terminal.
const PLAIN_COLUMNS: usize = 100;

/// How many columns of text stdout takes: the terminal's, or what COLUMNS says.
pub(super) fn columns() -> usize {
    let told = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal_size::terminal_size_of(std::io::stdout())
        .map(|(width, _)| usize::from(width.0))
        .or_else(told)
        .filter(|&columns| columns > 0)
        .unwrap_or(PLAIN_COLUMNS)
}

/// How many columns of text stderr takes.
pub(super) fn error_columns() -> usize {
    terminal_size::terminal_size_of(std::io::stderr())
        .map_or(PLAIN_COLUMNS, |(width, _)| usize::from(width.0))
}

fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn large_pages_are_off_until_the_first_to_ask_is_gone() {
        use rustix::thread::transparent_huge_pages_are_disabled as are_off;
        let before = are_off();
        if before != Ok(false) {
            return println!("skipped: large pages are off here, or Linux does not say");
        }
        let first = SmallPages::ask();
        let second = SmallPages::ask();
        assert_eq!(are_off(), Ok(true));
        drop(second);
        assert_eq!(are_off(), Ok(true), "another still asks");
        drop(first);
        assert_eq!(are_off(), before);
    }

    #[test]
    fn reads_linux_figures() {
        let text = "MemTotal:       24689672 kB\nMemAvailable:   23488492 kB\n";
        assert_eq!(available_bytes(text), Some(23_488_492 * 1024));
        assert_eq!(available_bytes("MemAvailable: lots"), None);
        assert_eq!(available_bytes(""), None);
    }
}
