//! The public message of queue `vpc-requests`: an Aiven VPC that is to be, and the peerings that it is for.

use ipnet::Ipv4Net;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::request::{check_text, read};
use super::{Action, Owner, Request, VpcRef};

/// The prefix lengths that Aiven takes for a VPC (its documentation).
const PREFIXES: std::ops::RangeInclusive<u8> = 20..=24;
/// Longest name of a cloud (Aiven's published schema).
const LONGEST_CLOUD: usize = 256;

/// A request for a VPC, checked and normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcRequest {
    /// Whose it is to be.
    pub owner: Owner,
    /// Cloud and region, as Aiven names them: `azure-westeurope`.
    pub cloud: String,
    /// Its address space.
    pub cidr: Ipv4Net,
    /// The peerings that it is for. Their VPC has no id yet: [`VpcRequest::peerings_with`] fills it in.
    pub peerings: Vec<Request>,
    /// Who asks.
    pub requested_by: Option<String>,
    /// The sender's own reference.
    pub reference: Option<String>,
}

/// As it is written. Unknown fields are errors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    cloud: String,
    cidr: String,
    organization: Option<String>,
    project: Option<String>,
    #[serde(default)]
    peerings: Vec<Map<String, Value>>,
    requested_by: Option<String>,
    reference: Option<String>,
}

impl VpcRequest {
    /// Reads a message.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence for whoever sent it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written: Written = read(text)?;
        if written.version != 1 {
            return Err(format!("version {} is not known here; send version 1", written.version));
        }
        check_text("requested_by", written.requested_by.as_deref())?;
        check_text("reference", written.reference.as_deref())?;
        let (owner, cloud, cidr) = (owner(&written)?, cloud(&written.cloud)?, range(&written.cidr)?);
        let numbered = written.peerings.iter().enumerate();
        let peerings = numbered.map(|(n, peering)| {
            self::peering(&written, &owner, peering.clone()).map_err(|why| format!("peerings[{n}]: {why}"))
        });
        let peerings = peerings.collect::<Result<_, _>>()?;
        Ok(Self { owner, cloud, cidr, peerings, requested_by: written.requested_by, reference: written.reference })
    }

    /// What tells the VPCs of an owner apart before they have an id: owner, cloud and range. Fit for a row's key.
    pub fn key(&self) -> String {
        format!("{}:{}:{}", self.owner, self.cloud, self.cidr.to_string().replace('/', "-"))
    }

    /// The peering requests, for the VPC that is there now.
    pub fn peerings_with(&self, id: Uuid) -> impl Iterator<Item = Request> + '_ {
        self.peerings.iter().map(move |request| Request { vpc: self.owner.vpc(id), ..request.clone() })
    }
}

fn owner(written: &Written) -> Result<Owner, String> {
    let owner = match (&written.organization, &written.project) {
        (Some(organization), None) => Owner::Organization(organization.to_lowercase()),
        (None, Some(project)) => Owner::Project(project.to_lowercase()),
        _ => return Err("a VPC needs either \"organization\" or \"project\": whose it is to be".to_owned()),
    };
    owner.vpc(Uuid::nil()).check().map_err(|e| e.to_string())?;
    Ok(owner)
}

/// Some of Aiven's brands put a prefix before the cloud's name, so Azure's are known by the word alone.
fn cloud(text: &str) -> Result<String, String> {
    let cloud = text.to_lowercase();
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if cloud.len() > LONGEST_CLOUD || !cloud.chars().all(legal) || !cloud.split('-').any(|word| word == "azure") {
        let shown: String = text.chars().take(60).collect();
        return Err(format!(
            "cloud {shown:?} is none of Azure's; `avn cloud list --project <project>` names them, such as azure-westeurope"
        ));
    }
    Ok(cloud)
}

fn range(text: &str) -> Result<Ipv4Net, String> {
    let shown: String = text.chars().take(60).collect();
    let cidr: Ipv4Net =
        text.trim().parse().map_err(|_| format!("cidr {shown:?} is not an IPv4 range such as 10.200.0.0/24"))?;
    if !PREFIXES.contains(&cidr.prefix_len()) {
        return Err(format!("cidr {cidr} has a prefix that Aiven does not take for a VPC; it takes /20 to /24"));
    }
    if cidr != cidr.trunc() {
        return Err(format!("cidr {cidr} is an address in a range; the range is {}", cidr.trunc()));
    }
    Ok(cidr)
}

/// A peering request without its VPC: version and action go without saying, sender and reference are those of the whole.
fn peering(whole: &Written, owner: &Owner, mut peering: Map<String, Value>) -> Result<Request, String> {
    if peering.contains_key("vpc") {
        return Err("it names a \"vpc\", but it is for the one that this message asks for; leave it out".to_owned());
    }
    let vpc: VpcRef = owner.vpc(Uuid::nil());
    peering.insert("vpc".to_owned(), json!(vpc));
    peering.entry("version").or_insert(json!(1));
    peering.entry("action").or_insert(json!(Action::Create));
    for (field, text) in [("requested_by", &whole.requested_by), ("reference", &whole.reference)] {
        if let Some(text) = text {
            peering.entry(field).or_insert(json!(text));
        }
    }
    let request: Request = serde_json::from_value(Value::Object(peering)).map_err(|e| e.to_string())?;
    request.check()?;
    match request.action {
        Action::Create => Ok(request),
        other => Err(format!("action \"{other}\" makes no sense for a VPC that is to be made; leave it out")),
    }
}

#[cfg(test)]
mod tests;
