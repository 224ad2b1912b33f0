import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { textModelArns } from '../names.ts';
import type { Zones } from './zones.ts';

export type NetworkProps = {
  readonly zones: Zones;
  /** The models of Bedrock that may be asked. */
  readonly textModels: readonly string[];
};

/**
 * A network without a way out, but for S3, and there only for the product's own buckets, and for the vaults' key: code that goes
 * astray can carry data nowhere. What it costs while idle is the interface endpoint for KMS, about 15 dollars a month in two
 * zones, and as much for Bedrock's where a use case has its texts written by a model.
 */
export class Network extends Construct {
  readonly vpc: Vpc;
  readonly securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, { zones, textModels }: NetworkProps) {
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
      description: 'Functions that see insured data: to S3, to the key of the vaults, and nowhere else',
      allowAllOutbound: false,
    });
    this.securityGroup.addEgressRule(Peer.anyIpv4(), Port.HTTPS, 'S3 and KMS, by the only ways there are');

    const stores = Object.values(zones.of);
    const endpoint = this.vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 });
    endpoint.addToPolicy(
      new PolicyStatement({
        principals: [new AnyPrincipal()],
        actions: ['s3:ListBucket', 's3:GetObject', 's3:PutObject'],
        resources: stores.flatMap(({ bucket }) => [bucket.bucketArn, bucket.arnForObjects('*')]),
      }),
    );
    this.#interface('Kms', InterfaceVpcEndpointAwsService.KMS, {
      actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
      resources: [zones.vaultKey.keyArn],
    });
    if (textModels.length > 0) {
      this.#interface('Bedrock', InterfaceVpcEndpointAwsService.BEDROCK_RUNTIME, {
        actions: ['bedrock:InvokeModel'],
        resources: textModelArns(this, textModels),
      });
    }
  }

  /** A way to a service for these functions only, and for nothing else than that. */
  #interface(id: string, service: InterfaceVpcEndpointAwsService, allowed: Allowed): void {
    const securityGroup = new SecurityGroup(this, `${id}Endpoint`, {
      vpc: this.vpc,
      description: `From the functions to ${id}`,
      allowAllOutbound: false,
    });
    securityGroup.addIngressRule(this.securityGroup, Port.HTTPS);
    const endpoint = this.vpc.addInterfaceEndpoint(id, { service, open: false, securityGroups: [securityGroup] });
    endpoint.addToPolicy(new PolicyStatement({ principals: [new AnyPrincipal()], ...allowed }));
  }
}

type Allowed = { actions: string[]; resources: string[] };
