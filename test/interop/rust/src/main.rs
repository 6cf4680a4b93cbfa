//! A rendezvous point or a client of one, made of rust-libp2p and nothing else. `run.mjs` drives it: it reads one
//! command a line and prints one line for each thing that happens, words separated by spaces.
//!
//! `rendezvous-peer server` prints `listening <multiaddr>`.
//! `rendezvous-peer client <multiaddr of a point>` prints `connected <own peer id>`, then takes
//! `register <namespace> [ttl]`, `unregister <namespace>` and `discover <namespace|*> [limit] [again]`, where `again`
//! goes on with the cookie of the last answer.

use std::{env, error::Error};

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, identify, identity,
    multiaddr::Protocol,
    noise, rendezvous,
    swarm::{NetworkBehaviour, SwarmEvent, behaviour::toggle::Toggle},
    yamux,
};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

#[derive(NetworkBehaviour)]
struct Behaviour {
    identify: identify::Behaviour,
    server: Toggle<rendezvous::server::Behaviour>,
    client: Toggle<rendezvous::client::Behaviour>,
}

type Failure = Box<dyn Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server"] => serve().await,
        ["client", point] => ask(point.parse()?).await,
        _ => Err("usage: rendezvous-peer server | client <multiaddr>".into()),
    }
}

async fn swarm(is_server: bool) -> Result<Swarm<Behaviour>, Failure> {
    let mut swarm = libp2p::SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_websocket(noise::Config::new, yamux::Config::default)
        .await?
        .with_behaviour(|key: &identity::Keypair| Behaviour {
            identify: identify::Behaviour::new(identify::Config::new(
                "interop/1.0.0".into(),
                key.public(),
            )),
            server: is_server
                .then(|| rendezvous::server::Behaviour::new(rendezvous::server::Config::default()))
                .into(),
            client: (!is_server)
                .then(|| rendezvous::client::Behaviour::new(key.clone()))
                .into(),
        })?
        .build();
    swarm.listen_on("/ip4/127.0.0.1/tcp/0/ws".parse()?)?;
    Ok(swarm)
}

/// Runs until standard input ends.
async fn serve() -> Result<(), Failure> {
    let mut swarm = swarm(true).await?;
    let mut commands = BufReader::new(stdin()).lines();
    loop {
        tokio::select! {
            command = commands.next_line() => if command?.is_none() { return Ok(()) },
            event = swarm.select_next_some() => match event {
                SwarmEvent::NewListenAddr { address, .. } => println!("listening {address}/p2p/{}", swarm.local_peer_id()),
                _ => {}
            },
        }
    }
}

async fn ask(point: Multiaddr) -> Result<(), Failure> {
    let Some(Protocol::P2p(point_id)) = point.iter().last() else {
        return Err("the multiaddr has no peer id".into());
    };
    let mut swarm = swarm(false).await?;
    let mut commands = BufReader::new(stdin()).lines();
    let mut cookie = None;
    swarm.dial(point)?;
    loop {
        tokio::select! {
            line = commands.next_line() => match line? {
                Some(line) => obey(&line, &mut swarm, point_id, &cookie)?,
                None => return Ok(()),
            },
            event = swarm.select_next_some() => match event {
                // A client registers the addresses it knows it can be reached at.
                SwarmEvent::NewListenAddr { address, .. } => swarm.add_external_address(address),
                SwarmEvent::ConnectionEstablished { peer_id, .. } if peer_id == point_id =>
                    println!("connected {}", swarm.local_peer_id()),
                SwarmEvent::Behaviour(BehaviourEvent::Client(event)) => tell(event, &mut cookie),
                _ => {}
            },
        }
    }
}

fn obey(
    line: &str,
    swarm: &mut Swarm<Behaviour>,
    point: PeerId,
    cookie: &Option<rendezvous::Cookie>,
) -> Result<(), Failure> {
    let client = swarm
        .behaviour_mut()
        .client
        .as_mut()
        .ok_or("not a client")?;
    match line.split_whitespace().collect::<Vec<_>>()[..] {
        ["register", namespace] => client.register(named(namespace)?, point, None)?,
        ["register", namespace, ttl] => {
            client.register(named(namespace)?, point, Some(ttl.parse()?))?
        }
        ["unregister", namespace] => client.unregister(named(namespace)?, point),
        ["discover", namespace, ref rest @ ..] => {
            let namespace = (namespace != "*").then(|| named(namespace)).transpose()?;
            let cookie = rest.contains(&"again").then(|| cookie.clone()).flatten();
            let limit = rest.first().and_then(|limit| limit.parse().ok());
            client.discover(namespace, cookie, limit, point);
        }
        _ => return Err(format!("no such command: {line}").into()),
    }
    Ok(())
}

fn named(namespace: &str) -> Result<rendezvous::Namespace, Failure> {
    Ok(rendezvous::Namespace::new(namespace.to_owned())?)
}

fn tell(event: rendezvous::client::Event, last_cookie: &mut Option<rendezvous::Cookie>) {
    use rendezvous::client::Event;
    match event {
        Event::Registered { ttl, .. } => println!("registered {ttl}"),
        Event::RegisterFailed { error, .. } => println!("refused {error:?}"),
        Event::Discovered {
            registrations,
            cookie,
            ..
        } => {
            let peers: Vec<_> = registrations
                .iter()
                .map(|one| {
                    format!(
                        "{},{},{},{}",
                        one.record.peer_id(),
                        one.namespace,
                        one.ttl,
                        one.record.addresses().len()
                    )
                })
                .collect();
            *last_cookie = Some(cookie);
            println!("discovered {}", peers.join(" "));
        }
        Event::DiscoverFailed { error, .. } => println!("refused {error:?}"),
        Event::Expired { peer } => println!("expired {peer}"),
    }
}
