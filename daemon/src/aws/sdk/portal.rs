//! The portal's operations: what a bearer token opens.

use super::SdkAws;
use crate::aws::refusals::Operation;
use crate::aws::retry::bounded;
use crate::aws::{AwsError, ListedAccount, Page, answers};
use crate::credentials::Credentials;
use crate::names::{AccountId, Region, RoleName};
use tegata_protocol::Secret;

/// The most entries of a page that the portal gives (SSO portal API, `maxResults`: 1 to 100).
const PAGE_SIZE: i32 = 100;

impl SdkAws {
    pub(super) async fn get_role_credentials(
        &self,
        region: &Region,
        access_token: &Secret,
        account: &AccountId,
        role: &RoleName,
    ) -> Result<Credentials, AwsError> {
        let operation = Operation::GetRoleCredentials;
        let portal = self.portal(region);
        let request = || {
            portal
                .get_role_credentials()
                .access_token(access_token.expose_secret())
                .account_id(account.as_str())
                .role_name(role.as_str())
        };
        let answer = bounded(self.bounds, operation.name(), || async {
            request().send().await.map_err(|error| self.failed(operation, &error, &[access_token]))
        });
        answers::role_credentials(answer.await?, account, self.now())
    }

    pub(super) async fn accounts_page(
        &self,
        region: &Region,
        access_token: &Secret,
        page: Option<&str>,
    ) -> Result<Page<ListedAccount>, AwsError> {
        let operation = Operation::ListAccounts;
        let portal = self.portal(region);
        let request = || {
            portal
                .list_accounts()
                .access_token(access_token.expose_secret())
                .max_results(PAGE_SIZE)
                .set_next_token(page.map(str::to_owned))
        };
        let answer = bounded(self.bounds.once(), operation.name(), || async {
            request().send().await.map_err(|error| self.failed(operation, &error, &[access_token]))
        });
        answers::accounts(answer.await?)
    }

    pub(super) async fn roles_page(
        &self,
        region: &Region,
        access_token: &Secret,
        account: &AccountId,
        page: Option<&str>,
    ) -> Result<Page<RoleName>, AwsError> {
        let operation = Operation::ListAccountRoles;
        let portal = self.portal(region);
        let request = || {
            portal
                .list_account_roles()
                .access_token(access_token.expose_secret())
                .account_id(account.as_str())
                .max_results(PAGE_SIZE)
                .set_next_token(page.map(str::to_owned))
        };
        let answer = bounded(self.bounds.once(), operation.name(), || async {
            request().send().await.map_err(|error| self.failed(operation, &error, &[access_token]))
        });
        answers::roles(answer.await?)
    }

    pub(super) async fn end_session(&self, region: &Region, access_token: &Secret) -> Result<(), AwsError> {
        let operation = Operation::Logout;
        let portal = self.portal(region);
        let request = || portal.logout().access_token(access_token.expose_secret());
        bounded(self.bounds, operation.name(), || async {
            request().send().await.map(drop).map_err(|error| self.failed(operation, &error, &[access_token]))
        })
        .await
    }
}
