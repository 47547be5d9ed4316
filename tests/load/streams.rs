//! What is measured of streams.

use std::time::Duration as Wait;

use coalmine::exchange::{Ending, Finish};

use crate::server::{Server, Step, chunk, chunked_head, ending, stream_head, word};
use crate::world::{Told, World, millis};

fn streamed(steps: impl Fn() -> Vec<Step> + Send + Sync + 'static) -> (Server, Vec<Told>) {
    let server = Server::new(move |_| steps());
    let world = World { stream: true, ..World::new(&server.url(), 3).closed(1) };
    let (_, notes) = world.load();
    assert_eq!(notes.meter.ended_as(Ending::Success), 3, "{:?}", notes.told);
    (server, notes.told)
}

#[test]
fn the_first_token_is_the_first_content_and_times_add_up() {
    let pause = || Step::Pause(Wait::from_millis(10));
    let (server, told) = streamed(move || {
        let role =
            b"data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
        let head = [chunked_head(), chunk(role)].concat();
        let mut steps = vec![Step::Send(head), pause(), Step::Send(chunk(&word("one")))];
        for _ in 0..4 {
            steps.extend([pause(), Step::Send(chunk(&word("more")))]);
        }
        let end = [chunk(&ending(Some([12, 5]))), b"0\r\n\r\n".to_vec()].concat();
        steps.extend([pause(), Step::Send(end)]);
        steps
    });
    for told in &told {
        let (first, last) = (told.first_token.unwrap(), told.last_token.unwrap());
        assert!(first >= millis(10), "the event before it has no content: {first}");
        assert!(last >= millis(50), "{last}");
        assert!(told.latency >= millis(60) && told.latency >= last);
        assert_eq!(told.gaps.len(), 4);
        let gaps: u64 = told.gaps.iter().map(|gap| gap.as_nanos()).sum();
        assert_eq!(first.as_nanos() + gaps, last.as_nanos());
        assert_eq!((told.output, told.finish), (5, Some(Finish::Stop)));
        assert_eq!(told.usage.unwrap().input.get(), 12);
    }
    assert_eq!(server.connections(), 1, "its end is told, so its connection is used again");
    assert_eq!(server.asked()[0].json()["stream"], true);
}

#[test]
fn tokens_that_come_at_once_have_no_time_between_them() {
    let (_, told) = streamed(|| {
        let all = [stream_head(), word("a"), word("b"), word("c"), ending(None)].concat();
        vec![Step::Send(all), Step::Close]
    });
    for told in &told {
        assert_eq!(told.gaps.len(), 2, "{told:?}");
        // Without usage the pieces are counted.
        assert_eq!((told.output, told.usage), (3, None));
    }
}

#[test]
fn pieces_may_be_cut_anywhere() {
    let whole = [word("one"), word("zwölf"), ending(Some([3, 2]))].concat();
    let (_, told) = streamed(move || {
        let mut steps = vec![Step::Send(stream_head())];
        // Each byte by itself; the kernel may join them again, which is as good.
        steps.extend(whole.iter().map(|byte| Step::Send(vec![*byte])));
        steps.push(Step::Close);
        steps
    });
    assert!(told.iter().all(|told| told.output == 2 && told.gaps.len() == 1), "{told:?}");
}

/// The answer is complete with its last event: what its server does afterwards is no latency.
#[test]
fn a_stream_ends_with_its_last_event() {
    let (server, told) = streamed(|| {
        let all = [chunked_head(), chunk(&[word("a"), ending(None)].concat())].concat();
        vec![Step::Send(all), Step::Hold]
    });
    assert_eq!(server.connections(), 3, "a connection whose body does not end is not used again");
    assert!(told.iter().all(|told| told.ending == Ending::Success));
}
