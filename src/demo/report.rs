//! What somebody reports of goods, compactly: a full world has a million of them.

/// Who reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum By {
    /// An importer, by its place.
    Importer(u16),
    /// Warehouse, carrier, distributor or shop, by its place.
    Operator(u16),
    /// The inspectorate.
    Inspector,
}

/// One thing that was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// When it happened, milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// Who says so.
    pub by: By,
    /// The number of the batch in the world.
    pub batch: u32,
    /// What.
    pub what: What,
}

/// What was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The batch was packed for export.
    PackedForExport,
    /// The batch left its country of origin.
    Departed,
    /// The batch arrived at the port of entry.
    Arrived,
    /// Customs have looked into the batch.
    Cleared,
    /// The batch may leave supervision.
    Released,
    /// What the reefer's logger saw of the batch, from a time on; broken or not.
    Voyage {
        /// The first reading.
        from_ms: i64,
        /// Minutes between two.
        step_min: u16,
        /// Whether the reefer broke down.
        broken: bool,
    },
    /// What a logger saw on a pallet, from a time on.
    Leg {
        /// The pallet.
        pallet: u32,
        /// The first reading.
        from_ms: i64,
    },
    /// Packed into a case or onto a pallet.
    Pack(Goods, Parent),
    /// Everything was taken out.
    Unpack(Parent),
    /// Shipped to somebody.
    Ship(Goods, By),
    /// Received from somebody.
    Receive(Goods, By),
    /// Put on the shelf.
    Stock(Goods),
    /// Sold.
    Sell(Goods),
}

/// Goods of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goods {
    /// The codes of the batch from one serial to another.
    Codes(u32, u32),
    /// The cases of the batch from one serial to another.
    Cases(u32, u32),
    /// Everything of the batch that is labelled: so many codes, and cases.
    All(u32, u32),
    /// A pallet.
    Pallet(u32),
}

/// What goods are packed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// A case of the batch, by its serial.
    Case(u32),
    /// A pallet.
    Pallet(u32),
}
