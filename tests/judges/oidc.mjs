// An authorisation server that is not ours (oidc-provider), for the lab: anybody signs in with any password.
//
// Usage: node oidc.mjs PORT. Says "ready" on standard output. Beside the provider's own addresses:
//   /lab/life?seconds=N   new access tokens are good for so long
//   /lab/expire           every access token is over now
//   /lab/revoke           every grant is taken back
//   /lab/consent?asked=1  the administrator must consent anew before any token is renewed; 0 ends it
//   /lab/grants           how many tokens were given out, by grant type
import { createRequire } from 'node:module';
import http from 'node:http';

// The packages lie in the folder that this program is run in, not beside it.
const { default: Provider } = await import(createRequire(`${process.cwd()}/`).resolve('oidc-provider'));

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const kept = new Map();
const grants = {};
let life = 3600;
let consent = false;

// As Microsoft says it (AADSTS65001); the provider used here renews tokens without asking again.
const CONSENT = {
  error: 'invalid_grant',
  error_description: "AADSTS65001: The user or administrator has not consented to use the application with ID 'threadline'.",
  error_codes: [65001],
  suberror: 'consent_required',
};

class Memory {
  constructor(kind) { this.kind = kind; }
  key(id) { return `${this.kind}:${id}`; }
  async upsert(id, payload) { kept.set(this.key(id), { ...payload }); }
  async find(id) { return kept.get(this.key(id)); }
  async findByUid(uid) { return this.first((value) => value.uid === uid); }
  async findByUserCode() { return undefined; }
  async consume(id) { kept.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { kept.delete(this.key(id)); }
  async revokeByGrantId(grantId) { drop((_, value) => value.grantId === grantId); }
  first(is) {
    for (const [key, value] of kept) if (key.startsWith(`${this.kind}:`) && is(value)) return value;
    return undefined;
  }
}

function drop(which) {
  for (const [key, value] of kept) if (which(key, value)) kept.delete(key);
}

const provider = new Provider(issuer, {
  adapter: Memory,
  clients: [
    {
      client_id: 'threadline',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    },
    // The mail server, which asks whether a token is good.
    {
      client_id: 'dovecot',
      client_secret: 'lab',
      redirect_uris: [],
      grant_types: [],
      response_types: [],
    },
  ],
  scopes: ['openid', 'email', 'offline_access', 'mail'],
  claims: { openid: ['sub'], email: ['email'] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id, email: id }) }),
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
  ttl: { AccessToken: () => life, RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 3600, IdToken: 3600 },
  features: {
    devInteractions: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
  },
  cookies: { keys: ['lab'] },
});
provider.on('grant.success', (ctx) => {
  const type = ctx.oidc.params.grant_type;
  grants[type] = (grants[type] ?? 0) + 1;
});

const serve = provider.callback();
http.createServer((request, response) => {
  const url = new URL(request.url, issuer);
  if (consent && url.pathname === '/token') {
    response.writeHead(400, { 'content-type': 'application/json' });
    return response.end(JSON.stringify(CONSENT));
  }
  if (!url.pathname.startsWith('/lab/')) return serve(request, response);
  if (url.pathname === '/lab/consent') consent = url.searchParams.get('asked') === '1';
  if (url.pathname === '/lab/life') life = Number(url.searchParams.get('seconds'));
  if (url.pathname === '/lab/expire') drop((key) => key.startsWith('AccessToken:'));
  if (url.pathname === '/lab/revoke') drop((key) => /^(AccessToken|RefreshToken|Grant|Session):/.test(key));
  response.setHeader('content-type', 'application/json');
  return response.end(JSON.stringify(grants));
}).listen(port, '127.0.0.1', () => console.log('ready'));
