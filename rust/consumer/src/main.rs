//! Chapter 5's consumer in Rust. It reads the log of a keyspace's order_queue from a moment on, up to the present: it
//! learns who is at the checkout, forgets who leaves, and says at the end whose time is over.
//!
//!     cargo run -- HOST:PORT KEYSPACE MICROSECONDS

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use scylla::client::session_builder::SessionBuilder;
use scylla::value::CqlTimestamp;
use scylla_cdc::consumer::{CDCRow, Consumer, ConsumerFactory, OperationType};
use scylla_cdc::log_reader::CDCLogReaderBuilder;
use uuid::Uuid;

/// Ticket and start of each checkout → the buyer, and the second since 1970 in which it ends.
type AtCheckout = Arc<Mutex<BTreeMap<(Uuid, i64), (String, u64)>>>;

#[derive(Clone, Default)]
struct OrderQueueConsumer {
    at_checkout: AtCheckout,
}

#[async_trait]
impl Consumer for OrderQueueConsumer {
    async fn consume_cdc(&mut self, mut data: CDCRow<'_>) -> anyhow::Result<()> {
        let ticket_id = data.take_value("ticket_id").unwrap().as_uuid().unwrap();
        let CqlTimestamp(started_at) = data.take_value("started_at").unwrap().as_cql_timestamp().unwrap();
        let buyer = data.take_value("session_id").and_then(|value| value.into_string());
        let (written_at, _) = data.time.get_timestamp().unwrap().to_unix();
        let mut at_checkout = self.at_checkout.lock().unwrap();
        match (data.operation, data.ttl, buyer) {
            (OperationType::RowInsert, Some(ttl), Some(buyer)) => {
                println!("learn   {buyer}, for {ttl} s");
                at_checkout.insert((ticket_id, started_at), (buyer, written_at + ttl as u64));
            }
            (OperationType::RowDelete, ..) => {
                if let Some((buyer, _)) = at_checkout.remove(&(ticket_id, started_at)) {
                    println!("forget  {buyer}");
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The library makes a consumer for each group of streams; all of them share what they have learnt.
#[async_trait]
impl ConsumerFactory for OrderQueueConsumer {
    async fn new_consumer(&self) -> Box<dyn Consumer> {
        Box::new(self.clone())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, keyspace, since] = &arguments[..] else {
        anyhow::bail!("usage: consumer HOST:PORT KEYSPACE MICROSECONDS");
    };
    let now = || SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let session = SessionBuilder::new().known_node(address).build().await?;
    let consumer = OrderQueueConsumer::default();
    // The library's own values, windows of 60 s that stay 30 s behind, are for clusters.
    let (_reader, reading) = CDCLogReaderBuilder::new()
        .session(Arc::new(session))
        .keyspace(keyspace)
        .table_name("order_queue")
        .start_timestamp(Duration::from_micros(since.parse()?))
        .end_timestamp(now())
        .safety_interval(Duration::from_secs(1))
        .sleep_interval(Duration::from_millis(500))
        .consumer_factory(Arc::new(consumer.clone()))
        .build()
        .await?;
    reading.await?;
    for (buyer, ends) in consumer.at_checkout.lock().unwrap().values() {
        if *ends <= now().as_secs() {
            println!("expire  {buyer}");
        }
    }
    Ok(())
}
