//! Services written in Luau: each peer runs the script once, and then the handlers it defines.

mod declare;
mod gauge;
mod host;
mod rumours;
mod source;
mod values;
mod vm;

use std::sync::Arc;

use super::ScriptError;
use super::declaration::new_key;
use crate::engine::{Context, Rejoin, Service};
use crate::message::Message;
use crate::peer::PeerIndex;
use crate::services::{ServiceSpec, ServiceState};
use source::Source;
use vm::{Handler, Program, Vm};

/// What there is to know of the service that a script describes.
pub(super) fn load(name: &str, bytes: &[u8]) -> Result<ServiceSpec, ScriptError> {
    let source = Arc::new(Source::compile(name, bytes)?);
    let declaration = source.declare()?;
    let messages = declaration.messages.clone();
    Ok(declaration.spec(name, move |parameters, kinds| {
        let messages = messages.iter().cloned().zip(kinds.iter().copied());
        let program = Arc::new(Program {
            key: new_key(),
            source: source.clone(),
            parameters: parameters.clone(),
            messages: messages.collect(),
        });
        Arc::new(move || {
            ServiceState::Custom(Box::new(Peer {
                program: program.clone(),
                place: 0,
            }))
        })
    }))
}

/// A peer that runs a script. What it knows lies in the VM of its shard.
struct Peer {
    program: Arc<Program>,
    /// Its place in the VM, counted from 1; 0 before it has begun.
    place: u32,
}

impl Peer {
    /// Lets the VM of the shard do something for this peer, unless the run has ended.
    fn run<R>(
        &self,
        context: &mut Context<'_>,
        work: impl FnOnce(&mut Vm, &mut Context<'_>) -> R,
    ) -> Option<R> {
        if context.has_failed() {
            return None;
        }
        let key = self.program.key;
        let mut vm = match context.take_shared::<Vm>(key) {
            Some(vm) => vm,
            None => match Vm::of_shard(&self.program, context) {
                Ok(vm) => Box::new(vm),
                Err(problem) => {
                    context.fail(problem);
                    return None;
                }
            },
        };
        let result = work(&mut vm, context);
        context.put_shared(key, vm);
        Some(result)
    }

    fn tell(&self, context: &mut Context<'_>, handler: Handler, peer: Option<PeerIndex>) {
        self.run(context, |vm, context| {
            vm.happen(context, self.place, handler, peer)
        });
    }

    fn begin(&mut self, context: &mut Context<'_>) {
        let place = self.place;
        let begun = self.run(context, |vm, context| vm.begin(context, place));
        self.place = begun.unwrap_or(place);
        self.tell(context, Handler::Start, None);
    }
}

impl Service for Peer {
    fn start(&mut self, context: &mut Context<'_>) {
        self.begin(context);
    }

    fn message(&mut self, context: &mut Context<'_>, from: PeerIndex, message: Message<'_>) {
        self.run(context, |vm, context| {
            vm.receive(context, self.place, from, message);
        });
    }

    fn timer(&mut self, context: &mut Context<'_>, tag: u32) {
        self.run(context, |vm, context| vm.ring(context, self.place, tag));
    }

    fn offline(&mut self, context: &mut Context<'_>) {
        self.tell(context, Handler::Offline, None);
    }

    fn online(&mut self, context: &mut Context<'_>, rejoin: Rejoin) {
        match rejoin {
            // It knows nothing any more: the script is run anew.
            Rejoin::Fresh => self.begin(context),
            Rejoin::Remember => self.tell(context, Handler::Online, None),
        }
    }

    fn admits(&mut self, context: &mut Context<'_>, from: PeerIndex) -> bool {
        let said = self.run(context, |vm, context| {
            vm.happen(context, self.place, Handler::Hello, Some(from))
        });
        said.flatten() != Some(false)
    }

    fn connected(&mut self, context: &mut Context<'_>, peer: PeerIndex, offered: bool) {
        self.run(context, |vm, context| {
            vm.connected(context, self.place, peer, offered);
        });
    }

    fn disconnected(&mut self, context: &mut Context<'_>, peer: PeerIndex) {
        self.tell(context, Handler::Disconnect, Some(peer));
    }
}
