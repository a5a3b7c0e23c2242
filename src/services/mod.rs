//! The protocols that peers run: one file each, a list of them, and the one place where they
//! are dispatched.

mod parameters;

use std::fmt;
use std::sync::Arc;

pub use parameters::{ParameterKind, ParameterSpec, ParameterValue, Parameters};

use crate::engine::Service;
use crate::message::MessageType;

/// A message that a service sends or handles.
#[derive(Clone, Copy, Debug)]
pub struct MessageSpec {
    /// Its name.
    pub name: &'static str,
    /// Its size, as `p2psim list services` shows it: `24 B + 8 B per listed peer`.
    pub size: &'static str,
    /// Whether the service handles it (or only sends it).
    pub handled: bool,
}

/// Makes the service's state for one more peer.
pub type Factory = Arc<dyn Fn() -> ServiceState + Send + Sync>;

/// Everything there is to know about a service before a run.
#[derive(Clone, Copy)]
pub struct ServiceSpec {
    /// Its name in scenarios.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// What it can be told.
    pub parameters: &'static [ParameterSpec],
    /// What it sends and handles.
    pub messages: &'static [MessageSpec],
    /// Builds the factory of a peer type: from its parameters and the types of its messages, in
    /// the order of `messages`.
    pub build: fn(&Parameters, &[MessageType]) -> Factory,
}

impl fmt::Debug for ServiceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServiceSpec").field(&self.name).finish()
    }
}

/// The state of one service of one peer: the built-in services by value, others behind a box.
pub enum ServiceState {
    /// A service of the library's user.
    Custom(Box<dyn Service>),
}

/// The services that scenarios can name.
#[derive(Clone, Debug)]
pub struct Registry(Vec<ServiceSpec>);

impl Default for Registry {
    /// The built-in services.
    fn default() -> Self {
        Registry(vec![])
    }
}

impl Registry {
    /// This registry and one service more; it replaces one of the same name.
    pub fn with(mut self, spec: ServiceSpec) -> Self {
        self.0.retain(|known| known.name != spec.name);
        self.0.push(spec);
        self
    }

    /// The service of this name.
    pub fn get(&self, name: &str) -> Option<&ServiceSpec> {
        self.0.iter().find(|spec| spec.name == name)
    }

    /// All services.
    pub fn iter(&self) -> impl Iterator<Item = &ServiceSpec> {
        self.0.iter()
    }
}
