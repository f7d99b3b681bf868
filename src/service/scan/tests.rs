use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use tower::ServiceExt;

use super::{BlockView, Scanned, View};
use crate::{
    code::{Code, Serial},
    http::router::router,
    limits::BLOCK_CACHE_BYTES_MAX,
    registration::samples,
    service::world::World,
    store::ScanSum,
    trace::Block,
};

struct Shop {
    world: World,
    codes: Vec<Code>,
}

impl Shop {
    /// Batches of 833 codes each; the first code of each.
    async fn new(batches: usize) -> Self {
        let world = World::new().await;
        let mut codes = Vec::new();
        for batch in world.batches(vec![samples::batch(); batches]).await {
            codes.push(world.issue(batch.id, 833).await.remove(0).key.code(Serial::FIRST));
        }
        Self { world, codes }
    }

    async fn scan(&self, code: &Code) -> Arc<View> {
        match self.world.service.scan(code, true).await {
            Scanned::Issued { view, .. } => view,
            other => panic!("{other:?}"),
        }
    }

    async fn ask(&self, code: &Code, accept: &str) -> usize {
        // Each batch has a customer of its own, so that nobody has asked too much.
        let [.., high, low] = code.run.bits().to_be_bytes();
        let customer = SocketAddr::from(([203, 0, high, low], 1));
        let request = Request::get(format!("/{code}")).header("accept", accept).extension(ConnectInfo(customer));
        let request = request.body(Body::empty()).unwrap();
        let answer = router(self.world.app.clone()).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap().len()
    }

    fn block(&self, code: &Code) -> Arc<BlockView> {
        self.world.service.blocks.get(&Block::of(code.run, code.serial)).unwrap()
    }

    /// What the cache thinks that it holds.
    fn weighed(&self) -> usize {
        self.world.service.blocks.run_pending_tasks();
        self.world.service.blocks.weighted_size() as usize
    }
}

#[tokio::test]
async fn twenty_thousand_ordinary_blocks_are_kept_with_their_json() {
    let shop = Shop::new(1).await;
    let code = &shop.codes[0];
    shop.ask(code, "application/json").await;
    let bytes = u64::from(shop.block(code).bytes());
    assert!(bytes * 20_000 <= BLOCK_CACHE_BYTES_MAX, "{bytes}");
}

#[tokio::test]
async fn the_cache_weighs_what_a_block_comes_to_hold() {
    let shop = Shop::new(1).await;
    let code = &shop.codes[0];
    let read = shop.world.service.block(Block::of(code.run, code.serial), 0).await.unwrap().unwrap().bytes() as usize;
    shop.scan(code).await;
    let mut before = shop.weighed();
    assert!(before > read + size_of::<View>(), "{before} {read}");
    for accept in ["application/json", "text/html"] {
        let answer = shop.ask(code, accept).await;
        let weighed = shop.weighed();
        assert!(weighed + 200 > before + answer && weighed < before + answer + 200, "{weighed} {before} {answer}");
        before = weighed;
    }
    for offset in 0..833 {
        shop.world.service.scans.count(&shop.block(code).scans, offset, 1);
    }
    shop.scan(code).await;
    assert!(shop.weighed() >= before + 833 * size_of::<ScanSum>());
    assert_eq!(shop.weighed(), shop.block(code).bytes() as usize);
}
