import { BlockList, isIP } from 'node:net';
import { invalidArgument } from '../../protocol/index.ts';

export interface AddressPolicyOptions {
  /** Let charts come from this machine. */
  readonly allowLoopback: boolean;
  /** Host patterns (`charts.example.com`, `*.example.com`) and addresses or CIDR ranges that are let through. */
  readonly allow: readonly string[];
  /** The same for what is refused; stronger than `allow`. */
  readonly deny: readonly string[];
}

/** Decides which hosts charts may be fetched from. */
export interface AddressPolicy {
  /**
   * Checks a host by its name and by every address that it resolved to; none where a proxy resolves it.
   * @throws GatewayError INVALID_ARGUMENT withSource the host and what is wrong with it
   */
  check(host: string, addresses: readonly string[]): void;
}

interface Rules {
  readonly addresses: BlockList;
  readonly hosts: readonly string[];
}

const loopback = ['127.0.0.0/8', '::1/128'];

/**
 * Never a repository, but often a path to what the gateway can reach and the caller cannot: this host, link-local
 * addresses (where clouds keep instance metadata), the metadata services with addresses of their own, multicast.
 */
const refused = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '100.100.100.200/32', // Alibaba Cloud
  '168.63.129.16/32', // Azure
  '192.0.0.192/32', // Oracle Cloud
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  'fe80::/10',
  'fd00:ec2::254/128', // AWS
  'fd20:ce::254/128', // Google Cloud
  'ff00::/8',
];

/**
 * @throws GatewayError INVALID_ARGUMENT when a rule is neither a host pattern nor a range
 */
export function createAddressPolicy(options: AddressPolicyOptions): AddressPolicy {
  const loopbackRules = parseRules(loopback);
  const refusedRules = parseRules(refused);
  const allow = parseRules(options.allow);
  const deny = parseRules(options.deny);
  return {
    check(host, addresses) {
      const all = isIP(host) ? [host] : addresses;
      const forms = all.flatMap(writtenForms);
      if (matchesHost(deny, host) || forms.some(address => contains(deny, address))) {
        throw invalidArgument(`charts from ${host} are denied by the gateway's configuration`);
      }
      if (matchesHost(allow, host)) return;
      for (const address of forms) {
        if (contains(allow, address)) continue;
        if (contains(loopbackRules, address) && !options.allowLoopback) throw refusal(host, 'loopback');
        if (contains(refusedRules, address)) throw refusal(host, 'link-local, metadata or reserved');
      }
    },
  };
}

/** The address itself stays out of the message: it could tell a caller about the network behind the gateway. */
function refusal(host: string, kind: string): Error {
  return invalidArgument(`charts from ${host} are refused: it has a ${kind} address`);
}

/** An IPv6 address that carries an IPv4 one (NAT64, 6to4) is judged as both. IPv4-mapped ones BlockList knows itself. */
function writtenForms(address: string): string[] {
  if (isIP(address) !== 6) return [address];
  const groups = expandIpv6(address);
  const ipv4 = (high: number, low: number) => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  const [first = 0, second = 0, third = 0, , , , seventh = 0, eighth = 0] = groups;
  if (first === 0x64 && second === 0xff9b) return [address, ipv4(seventh, eighth)];
  if (first === 0x2002) return [address, ipv4(second, third)];
  // IPv4-compatible, long out of use
  if (groups.slice(0, 6).every(group => group === 0)) return [address, ipv4(seventh, eighth)];
  return [address];
}

function expandIpv6(address: string): number[] {
  const plain = (address.split('%', 1)[0] ?? '').replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_all, a, b, c, d) => {
      return `${((+a << 8) | +b).toString(16)}:${((+c << 8) | +d).toString(16)}`;
    },
  );
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(middle).fill('0'), ...right].map(group => Number.parseInt(group, 16));
}

function contains(rules: Rules, address: string): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  return rules.addresses.check(address.split('%', 1)[0] ?? '', family);
}

/** `*.example.com` is every name below example.com; anything else is that name alone. */
function matchesHost(rules: Rules, host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return rules.hosts.some(pattern =>
    pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : pattern === '*' || name === pattern,
  );
}

function parseRules(rules: readonly string[]): Rules {
  const addresses = new BlockList();
  const hosts: string[] = [];
  for (const rule of rules) {
    if (!addRange(addresses, rule)) hosts.push(parseHostPattern(rule));
  }
  return { addresses, hosts };
}

function addRange(list: BlockList, rule: string): boolean {
  const [address = '', bits] = rule.replace(/^\[|\]$/g, '').split('/');
  const family = isIP(address);
  if (family === 0) return false;
  const most = family === 6 ? 128 : 32;
  const length = bits === undefined ? most : Number(bits);
  if (!/^\d{0,3}$/.test(bits ?? '') || bits === '' || length > most) {
    throw invalidArgument(`not an address range: ${rule}`);
  }
  list.addSubnet(address, length, family === 6 ? 'ipv6' : 'ipv4');
  return true;
}

function parseHostPattern(rule: string): string {
  const pattern = rule.toLowerCase().replace(/\.$/, '');
  if (!/^(\*|(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?)$/.test(pattern)) {
    throw invalidArgument(`not a host pattern or an address range: ${rule}`);
  }
  return pattern;
}
