/** How the app shows Entra ID who it is. */
export type GraphCredential =
  | { readonly kind: 'secret'; readonly clientSecret: string }
  | CertificateCredential
  | ManagedIdentityCredential
  | FederatedFileCredential
  | FederatedIdentityCredential;

/** A certificate that the app registration knows; what is sent is signed with its key. */
export interface CertificateCredential {
  readonly kind: 'certificate';
  /** PEM: the certificate, then those that vouch for it, if any. */
  readonly certificate: string;
  /** PEM. */
  readonly privateKey: string;
  /** Sends the certificates too, as trust by subject name and issuer wants. @defaultValue false */
  readonly sendChain?: boolean;
}

/** The identity of the machine itself. It has tokens of its home tenant, and of no other. */
export interface ManagedIdentityCredential {
  readonly kind: 'managedIdentity';
  /** Client id of a user-assigned identity; absent for that of the system. */
  readonly clientId?: string;
  readonly homeTenantId: string;
}

/** A token in a file, which somebody renews: Kubernetes' projected service account token. */
export interface FederatedFileCredential {
  readonly kind: 'federatedFile';
  readonly path: string;
}

/** A managed identity that the app registration trusts as a federated credential. */
export interface FederatedIdentityCredential {
  readonly kind: 'federatedIdentity';
  /** Client id of a user-assigned identity: Entra ID takes no other for this. */
  readonly clientId: string;
}
