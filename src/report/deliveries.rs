//! The table `deliveries`: a row for each first receipt of a message by a peer.

use std::io;

use super::rows::ColumnKind::{Flag, Integer, Real, Text};
use super::rows::{Column, RowWriter};
use crate::message::RumourId;
use crate::peer::Names;
use crate::record::ByRumour;

pub(super) const COLUMNS: [Column; 9] = [
    ("message", Text),
    ("origin", Integer),
    ("produced_ms", Real),
    ("peer", Integer),
    ("first_received_ms", Real),
    ("delay_ms", Real),
    ("hops", Integer),
    ("copies", Integer),
    ("intact", Flag),
];

/// A message's name, `<peer>_<counter>`, in place of what is in `out`.
pub(super) fn write_message(id: RumourId, names: &Names, out: &mut Vec<u8>) {
    out.clear();
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(digits.format(names.id(id.origin).0).as_bytes());
    out.push(b'_');
    out.extend_from_slice(digits.format(id.counter).as_bytes());
}

pub(super) fn write_deliveries(
    table: &mut RowWriter,
    names: &Names,
    by_rumour: &ByRumour<'_>,
) -> io::Result<()> {
    let mut message = Vec::new();
    for (rumour, receipts) in by_rumour.iter() {
        write_message(rumour.id, names, &mut message);
        for receipt in receipts {
            table.text(&message);
            table.integer(names.id(rumour.id.origin).0);
            table.ms(rumour.produced);
            table.integer(names.id(receipt.peer).0);
            table.ms(receipt.received);
            table.ms(receipt.received.since(rumour.produced));
            table.integer(receipt.hops.into());
            table.integer(receipt.copies.into());
            table.flag(receipt.intact);
            table.end()?;
        }
    }
    Ok(())
}
