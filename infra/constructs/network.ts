import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Zones } from './zones.ts';

/**
 * A network without a way out, but for S3, and there only for the product's own buckets: code that goes astray can carry data
 * nowhere. It costs nothing while idle: no gateway, no interface endpoint.
 */
export class Network extends Construct {
  readonly vpc: Vpc;
  readonly securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, { zones }: { readonly zones: Zones }) {
    super(scope, id);
    this.vpc = new Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'Isolated', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 }],
      restrictDefaultSecurityGroup: false,
      flowLogs: {
        All: { destination: FlowLogDestination.toS3(zones.accessLogs, 'network') },
      },
    });
    this.securityGroup = new SecurityGroup(this, 'Functions', {
      vpc: this.vpc,
      description: 'Functions that see insured data: to S3 and nowhere else',
      allowAllOutbound: false,
    });
    this.securityGroup.addEgressRule(Peer.anyIpv4(), Port.HTTPS, 'S3, by the only route there is');

    const stores = Object.values(zones.of);
    const endpoint = this.vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 });
    endpoint.addToPolicy(
      new PolicyStatement({
        principals: [new AnyPrincipal()],
        actions: ['s3:ListBucket', 's3:GetObject', 's3:PutObject'],
        resources: stores.flatMap(({ bucket }) => [bucket.bucketArn, bucket.arnForObjects('*')]),
      }),
    );
  }
}
