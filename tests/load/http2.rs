//! HTTP/2, spoken without asking: the requests of a thread share a connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use coalmine::exchange::Ending;
use coalmine::load::{Http, MessageParts, Target};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::Barrier;

use crate::server::{Server, Step};
use crate::world::World;

/// Answers when so many requests have come; how many connections there were.
fn serve(at_once: usize) -> (SocketAddr, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let counted = Arc::clone(&connections);
    // It ends with the process of the tests.
    std::thread::spawn(move || {
        runtime.block_on(async move {
            let all = Arc::new(Barrier::new(at_once));
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let all = Arc::clone(&all);
                let service = service_fn(move |request| answer(request, Arc::clone(&all)));
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
            }
        });
    });
    (address, connections)
}

async fn answer(
    request: Request<Incoming>,
    all: Arc<Barrier>,
) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    all.wait().await;
    let is_right = request.version() == Version::HTTP_2
        && request.uri().path() == "/v1/chat/completions"
        && request.headers()["x-number"].to_str().unwrap().parse::<u64>().is_ok();
    let body = r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
    let response = Response::builder()
        .status(if is_right { 200 } else { 400 })
        .header("content-type", "application/json");
    Ok(response.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap())
}

fn world(url: &str, requests: u64) -> World {
    let parts = MessageParts {
        models: vec!["m".to_owned()],
        headers: vec!["X-Number: {number}".to_owned()],
        ..MessageParts::default()
    };
    let target = Target::new(url).unwrap().over(Http::Two);
    World { target, parts, ..World::new(url, requests) }
}

#[test]
fn requests_share_the_connection_of_their_thread() {
    let (address, connections) = serve(20);
    let (_, notes) = world(&format!("http://{address}"), 100).closed(20).load();
    assert_eq!(notes.meter.ended_as(Ending::Success), 100, "{:?}", notes.told);
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    assert_eq!(notes.told.iter().filter(|told| told.is_new).count(), 1);
}

#[test]
fn a_server_that_speaks_no_http_2_is_told_so() {
    let server = Server::new(|_| vec![Step::Close]);
    let (_, notes) = world(&server.url(), 3).closed(1).load();
    let endings: Vec<Ending> = notes.told.iter().map(|told| told.ending).collect();
    assert!(
        endings.iter().all(|it| matches!(it, Ending::Reset | Ending::Malformed)),
        "{endings:?}"
    );
}
