//! Azure resource ids: case-insensitive, made and taken apart.

/// A virtual network's id, taken apart.
pub(crate) struct VnetId {
    pub(crate) subscription: String,
    pub(crate) resource_group: String,
    pub(crate) name: String,
}

pub(crate) fn vnet(subscription: &str, resource_group: &str, name: &str) -> String {
    format!(
        "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.Network/virtualNetworks/{name}"
    )
}

pub(crate) fn parse_vnet(id: &str) -> Option<VnetId> {
    let parts: Vec<&str> = id.strip_prefix('/')?.split('/').collect();
    let [s, subscription, g, group, p, provider, v, name] = parts.as_slice() else { return None };
    let fits = s.eq_ignore_ascii_case("subscriptions")
        && g.eq_ignore_ascii_case("resourceGroups")
        && p.eq_ignore_ascii_case("providers")
        && provider.eq_ignore_ascii_case("Microsoft.Network")
        && v.eq_ignore_ascii_case("virtualNetworks");
    fits.then(|| VnetId {
        subscription: (*subscription).to_owned(),
        resource_group: (*group).to_owned(),
        name: (*name).to_owned(),
    })
}

/// Resource group and name of the key vault that an id is of or below.
pub(crate) fn parse_vault(id: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = id.strip_prefix('/')?.split('/').collect();
    let [_, _, g, group, _, provider, kind, name, ..] = parts.as_slice() else { return None };
    let fits = g.eq_ignore_ascii_case("resourceGroups")
        && provider.eq_ignore_ascii_case("Microsoft.KeyVault")
        && kind.eq_ignore_ascii_case("vaults");
    fits.then_some((*group, *name))
}

/// The subscription that an id or scope is in.
pub(crate) fn subscription(id: &str) -> Option<String> {
    let mut parts = id.strip_prefix('/')?.split('/');
    let first = parts.next()?;
    let subscription = parts.next()?;
    first.eq_ignore_ascii_case("subscriptions").then(|| subscription.to_owned())
}

pub(crate) fn management_group_id(name: &str) -> String {
    format!("/providers/Microsoft.Management/managementGroups/{name}")
}

/// The name of the management group whose id this is.
pub(crate) fn management_group(id: &str) -> Option<&str> {
    let (group, name) = id.trim_end_matches('/').rsplit_once('/')?;
    group.eq_ignore_ascii_case("/providers/Microsoft.Management/managementGroups").then_some(name)
}

/// Whether `outer` is `inner` or above it in its own path.
pub(crate) fn covers(outer: &str, inner: &str) -> bool {
    let outer = outer.trim_end_matches('/').to_ascii_lowercase();
    let inner = inner.trim_end_matches('/').to_ascii_lowercase();
    inner.strip_prefix(&outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The last segment.
pub(crate) fn name(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_what_is_under_it_and_not_its_namesakes() {
        assert!(covers("/subscriptions/A", "/subscriptions/a/resourceGroups/x"));
        assert!(covers("/", "/subscriptions/a"));
        assert!(!covers("/subscriptions/a/resourceGroups/x", "/subscriptions/a/resourceGroups/xy"));
        assert!(!covers("/subscriptions/a/resourceGroups/x", "/subscriptions/a"));
    }

    #[test]
    fn a_management_group_is_known_by_its_whole_id() {
        let id = management_group_id("landing");
        assert_eq!(management_group(&id), Some("landing"));
        assert_eq!(management_group(&id.to_uppercase()), Some("LANDING"));
        for other in ["/subscriptions/landing", "/providers/Microsoft.Management/managementGroups/a/b", "landing", ""] {
            assert_eq!(management_group(other), None, "{other}");
        }
    }
}
