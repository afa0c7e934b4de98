//! When to try again.

use std::time::Duration;

/// The first wait; each further one is twice as long.
pub const FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
pub const LONGEST: Duration = Duration::from_secs(5 * 60);

/// How long to wait before attempt `failures + 1`, where `jitter` (0.0 to 1.0) moves it by up to a quarter, so that
/// many computers do not come back at once.
pub fn wait(failures: u32, jitter: f64) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST);
    doubled.mul_f64(0.75 + 0.5 * jitter.clamp(0.0, 1.0))
}

/// A number from 0.0 to 1.0 from the system's randomness; 0.5 where it gives none.
pub fn random() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let secs: Vec<u64> = (1..=10).map(|n| wait(n, 0.5).as_secs()).collect();
        assert_eq!(secs, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(wait(u32::MAX, 0.5), LONGEST);
        assert_eq!(wait(5, 0.0), Duration::from_secs(12));
        assert_eq!(wait(5, 1.0), Duration::from_secs(20));
    }
}
