//! Load over time: bytes, messages, waiting, connections and online peers, by interval and group.

use crate::peer::PeerIndex;
use crate::time::Time;

/// Load by interval of time and group of peers.
#[derive(Clone, Debug, Default)]
pub struct Load {}

impl Load {
    /// A peer has sent a message, which waited this long for the uplink.
    #[inline]
    pub(crate) fn sent(&mut self, _now: Time, _me: PeerIndex, _bytes: u32, _wait: Time) {}

    /// A peer has taken a message in, which waited this long for the downlink.
    #[inline]
    pub(crate) fn received(&mut self, _now: Time, _me: PeerIndex, _bytes: u32, _wait: Time) {}

    /// A peer has one connection more, or one less.
    pub(crate) fn connection(&mut self, _now: Time, _me: PeerIndex, _more: bool) {}

    /// A peer has come online, or gone offline.
    pub(crate) fn online(&mut self, _now: Time, _me: PeerIndex, _online: bool) {}
}
