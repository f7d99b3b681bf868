//! What a restored store must keep to: its feeds begin with what the backup had, and no code can be issued twice.

use super::Audit;
use crate::{
    code::KeySlot,
    limits::KEY_RUNS_MAX,
    service::{
        Counter,
        quarantine::{Released, Restored},
    },
    store::{self, Writer, patiently},
};

impl Audit<'_> {
    /// Behind the reading of all runs.
    pub(super) async fn restored(&mut self) -> store::Result<()> {
        let restored = patiently(|| self.service.restored()).await;
        let Some(restored) = self.sound(restored)?.flatten() else { return Ok(()) };
        self.report.checked += 1;
        for (writer, rows, digest) in &restored.heads {
            let Some(last) = rows.checked_sub(1) else { continue };
            let row = patiently(|| self.service.store.rows(Writer(*writer), last, 1)).await;
            let found = self.sound(row)?.unwrap_or_default().first().map(|row| row.digest(Writer(*writer)));
            if found != Some(digest.0) {
                self.find(|| format!("restored: row {last} of feed {writer} is not the last one of the backup"));
            }
        }
        match restored.released {
            None => self.quarantined(&restored),
            Some(released) => self.released(&restored, released).await?,
        }
        Ok(())
    }

    /// Nothing is issued in quarantine.
    fn quarantined(&mut self, restored: &Restored) {
        for (slot, highest) in (0..).zip(self.highest_runs) {
            let Some(highest) = highest else { continue };
            let next = restored.runs.iter().find(|(counted, _)| *counted == slot).map_or(0, |(_, next)| *next);
            if highest >= next {
                self.find(|| format!("restored: run {highest} of key slot {slot} was issued in quarantine"));
            }
        }
    }

    /// Of the slots that the lost server may have used, one may issue, from behind what it issued on.
    async fn released(&mut self, restored: &Restored, released: Released) -> store::Result<()> {
        for slot in restored.used().chain(KeySlot::new(released.slot)) {
            let first = if slot.get() == released.slot { released.first } else { KEY_RUNS_MAX.into() };
            let next = patiently(|| self.service.first_free_number(Counter::Runs(slot))).await;
            let Some(next) = self.sound(next)?.filter(|next| *next < first) else { continue };
            self.find(|| {
                format!("restored: key slot {slot} would issue run {next}, which the lost server may have issued")
            });
        }
        Ok(())
    }
}
