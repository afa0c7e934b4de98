//! What the system under the window has and has not.

use crate::views::Lack;

/// What this desktop lacks at the moment.
pub fn lacks() -> Vec<Lack> {
    let mut lacks = Vec::new();
    if !has_tray() {
        lacks.push(Lack::Tray);
    }
    if !has_notifications() {
        lacks.push(Lack::Notifications);
    }
    lacks
}

/// Whether a tray icon is seen. The other systems always have a place for one.
#[cfg(not(target_os = "linux"))]
pub fn has_tray() -> bool {
    true
}

#[cfg(not(target_os = "linux"))]
fn has_notifications() -> bool {
    true
}

/// Whether the panel behind the tray icon is dark.
#[cfg(target_os = "windows")]
pub fn panel_is_dark() -> bool {
    const THEME: &str = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize";
    let light =
        windows_registry::CURRENT_USER.open(THEME).and_then(|key| key.get_u32("SystemUsesLightTheme"));
    !matches!(light, Ok(1))
}

/// macOS colours the icon itself: it is a template.
#[cfg(target_os = "macos")]
pub fn panel_is_dark() -> bool {
    false
}

/// Windows tells its windows alone of other colours, and there may be none: it is looked now and then.
#[cfg(target_os = "windows")]
pub fn follow_panel(heard: impl Fn()) {
    let mut dark = panel_is_dark();
    loop {
        std::thread::sleep(std::time::Duration::from_secs(10));
        if std::mem::replace(&mut dark, panel_is_dark()) != dark {
            heard();
        }
    }
}

#[cfg(target_os = "macos")]
pub fn follow_panel(_: impl Fn()) {}

/// The other systems draw by themselves.
#[cfg(not(target_os = "linux"))]
pub fn choose_renderer() {}

#[cfg(target_os = "linux")]
use crate::toast::is_there as has_notifications;
#[cfg(target_os = "linux")]
pub use linux::{choose_renderer, follow_panel, has_tray, panel_is_dark};

#[cfg(target_os = "linux")]
mod linux {
    use std::os::unix::process::CommandExt as _;
    use std::path::Path;
    use zbus::blocking::{Connection, Proxy};
    use zbus::zvariant::{OwnedValue, Value};

    /// Whether somebody shows StatusNotifierItems (the specification of freedesktop.org).
    pub fn has_tray() -> bool {
        let shown = || -> zbus::Result<bool> {
            let bus = Connection::session()?;
            let watcher = "org.kde.StatusNotifierWatcher";
            Proxy::new(&bus, watcher, "/StatusNotifierWatcher", watcher)?
                .get_property("IsStatusNotifierHostRegistered")
        };
        shown().unwrap_or(false)
    }

    /// The desktop's colour scheme, as the settings portal has it (freedesktop.org): 1 is dark, 2 is light.
    const SCHEME: (&str, &str) = ("org.freedesktop.appearance", "color-scheme");

    fn portal(bus: &Connection) -> zbus::Result<Proxy<'_>> {
        Proxy::new(
            bus,
            "org.freedesktop.portal.Desktop",
            "/org/freedesktop/portal/desktop",
            "org.freedesktop.portal.Settings",
        )
    }

    /// The desktop's own setting. Without one the panel is taken for dark, as on most desktops.
    pub fn panel_is_dark() -> bool {
        let scheme = || -> zbus::Result<u32> {
            let value: OwnedValue = portal(&Connection::session()?)?.call("ReadOne", &SCHEME)?;
            Ok(u32::try_from(&value)?)
        };
        !matches!(scheme(), Ok(2))
    }

    /// Calls `heard` after each change of the desktop's colours, for as long as the session's bus lasts.
    pub fn follow_panel(heard: impl Fn()) {
        let follow = || -> zbus::Result<()> {
            let bus = Connection::session()?;
            for change in portal(&bus)?.receive_signal("SettingChanged")? {
                let body = change.body();
                let (group, key, _): (&str, &str, Value<'_>) = body.deserialize()?;
                if (group, key) == SCHEME {
                    heard();
                }
            }
            Ok(())
        };
        if let Err(error) = follow() {
            tracing::debug!(%error, "changes of the desktop's colours are not heard");
        }
    }

    /// Takes the web view's other renderer where the usual one leaves the window blank.
    const PLAIN: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

    /// Sets the renderer. A process cannot change its own environment safely, so it starts itself once more.
    pub fn choose_renderer() {
        let nvidia = Path::new("/sys/module/nvidia").exists();
        let gpu = Path::new("/dev/dri").exists();
        if std::env::var_os(PLAIN).is_some() || !needs_plain(nvidia, gpu) {
            return;
        }
        let Ok(program) = std::env::current_exe() else { return };
        let failed =
            std::process::Command::new(program).args(std::env::args_os().skip(1)).env(PLAIN, "1").exec();
        tracing::warn!(error = %failed, "the web view keeps its usual renderer");
    }

    /// NVIDIA's driver shows nothing through it, and without a GPU there is nothing to share.
    fn needs_plain(nvidia: bool, gpu: bool) -> bool {
        nvidia || !gpu
    }

    #[cfg(test)]
    mod tests {
        use super::needs_plain;

        #[test]
        fn only_a_working_gpu_keeps_the_usual_renderer() {
            assert!(!needs_plain(false, true));
            assert!(needs_plain(true, true));
            assert!(needs_plain(false, false));
        }
    }
}
