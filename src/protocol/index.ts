export { Code, codeName, toCode } from './code.ts';
export { GatewayError, invalidArgument, unavailable } from './gateway-error.ts';
