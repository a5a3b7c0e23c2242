//! A log file per peer, written through bounded buffers.
