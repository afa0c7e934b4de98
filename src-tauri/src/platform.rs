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

/// The other systems draw by themselves.
#[cfg(not(target_os = "linux"))]
pub fn choose_renderer() {}

#[cfg(target_os = "linux")]
use linux::has_notifications;
#[cfg(target_os = "linux")]
pub use linux::{choose_renderer, has_tray, panel_is_dark};

#[cfg(target_os = "linux")]
mod linux {
    use std::os::unix::process::CommandExt as _;
    use std::path::Path;
    use zbus::blocking::{Connection, Proxy};
    use zbus::zvariant::OwnedValue;

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

    /// Whether a notification daemon runs or would be started.
    pub fn has_notifications() -> bool {
        notify_rust::get_server_information().is_ok()
    }

    /// The desktop's own setting (the settings portal, `color-scheme`: 1 is dark, 2 is light). Without one the panel is
    /// taken for dark, as on most desktops.
    pub fn panel_is_dark() -> bool {
        let scheme = || -> zbus::Result<u32> {
            let bus = Connection::session()?;
            let portal = Proxy::new(
                &bus,
                "org.freedesktop.portal.Desktop",
                "/org/freedesktop/portal/desktop",
                "org.freedesktop.portal.Settings",
            )?;
            let value: OwnedValue =
                portal.call("ReadOne", &("org.freedesktop.appearance", "color-scheme"))?;
            Ok(u32::try_from(&value)?)
        };
        !matches!(scheme(), Ok(2))
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
