//! A request that is generated: its identity and its sizes are drawn.

use super::identity::Identities;
use super::tokens::SizeSamplers;
use crate::arrivals::Coming;
use crate::chance::Purpose;
use crate::exchange::{Arrival, Request};

/// The request `coming`, which is number `number` of the workload; `sizes` are by model, or one
/// for all.
#[inline(always)]
pub(super) fn generated(
    coming: Coming,
    number: u64,
    identities: &mut Identities,
    sizes: &[SizeSamplers],
) -> Arrival {
    let Coming { at, id, draws, user } = coming;
    let user = user.unwrap_or_else(|| identities.user_of(id, draws));
    let client = identities.client_of(id, draws);
    let model = identities.model(client, draws);
    let size = if let [all] = sizes { all } else { &sizes[usize::from(model.0)] };
    let prompt = identities.prompt(draws);
    let (input, output) = size
        .sample(|| identities.prompt_size(prompt, draws), || draws.draw(Purpose::OutputTokens, 0));
    let request = Request {
        id,
        model,
        user,
        session: identities.session(user, at, number, draws),
        client,
        prompt,
        input,
        output,
        stream: identities.stream(draws),
    };
    Arrival { at, request }
}
