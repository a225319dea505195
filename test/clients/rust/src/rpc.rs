// SPDX-License-Identifier: Apache-2.0
//! gRPC between workloads: tonic over what peers.rs has.

use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::{Channel, Endpoint, Server};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tower::service_fn;

use crate::lines::{Outcome, say};
use crate::peers::{Protocols, acceptor, bind, connect};

const GRPC: Protocols = &[b"h2"];
const PLAIN: &str = "plain";

/// Every connection that has proved who it is, in a stream as tonic wants it.
pub async fn listen(address: &str, id: &str) -> Outcome {
    // It serves the empty service name, that of the whole server, from the start.
    let (_reporter, health) = tonic_health::server::health_reporter();
    let server = Server::builder();
    if id == PLAIN {
        let listener = TcpListenerStream::new(bind(address).await?);
        return Ok(server.serve_with_incoming(health, listener).await?);
    }
    let acceptor = acceptor(id, GRPC).await?;
    let listener = bind(address).await?;
    let (connections, incoming) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let accepted = acceptor.accept(stream);
            let connections = connections.clone();
            tokio::spawn(async move {
                match accepted.await {
                    Ok(stream) => drop(connections.send(Ok::<_, std::io::Error>(stream)).await),
                    Err(error) => eprintln!("{error}"),
                }
            });
        }
    });
    Ok(server
        .serve_with_incoming(health, ReceiverStream::new(incoming))
        .await?)
}

async fn channel(address: &str, id: &str) -> Result<Channel, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
    if id == PLAIN {
        return endpoint.connect().await;
    }
    let (address, id) = (address.to_owned(), id.to_owned());
    endpoint
        .connect_with_connector(service_fn(move |_| {
            let (address, id) = (address.clone(), id.clone());
            async move { connect(&address, &id, GRPC).await.map(TokioIo::new) }
        }))
        .await
}

pub async fn dial(address: &str, id: &str) -> Outcome {
    let mut client = HealthClient::new(channel(address, id).await?);
    let answer = client.check(HealthCheckRequest::default()).await?;
    let status = ServingStatus::try_from(answer.into_inner().status)?;
    say("grpc", json!({ "status": status.as_str_name() }));
    Ok(())
}
