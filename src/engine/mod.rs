//! stub
/// stub
pub trait Service: Send {}
