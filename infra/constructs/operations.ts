import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Environment } from '../environments.ts';
import { removalPolicyOf } from './zones.ts';

export type OperationsProps = {
  readonly environment: Environment;
  /** Who is told about failures and alarms. @default - nobody until somebody subscribes to the topic */
  readonly noticesEmail?: string | undefined;
};

/** How the people who run it are told: logs, notices, and queues for what could not be delivered. */
export class Operations extends Construct {
  /** Encrypts logs and notices. Insured data has keys of its own. */
  readonly key: Key;
  readonly notices: Topic;
  /** Events and schedules that started no machine. */
  readonly undeliveredEvents: Queue;
  /** Asynchronous invocations of a function that failed for good; the machines make none. */
  readonly undeliveredInvocations: Queue;
  readonly #environment: Environment;

  constructor(scope: Construct, id: string, { environment, noticesEmail }: OperationsProps) {
    super(scope, id);
    this.#environment = environment;
    this.key = this.#operationsKey();
    this.undeliveredEvents = this.#queue('UndeliveredEvents');
    this.undeliveredInvocations = this.#queue('UndeliveredInvocations');

    this.notices = new Topic(this, 'Notices', {
      displayName: `Bordereau ${environment.name}`,
      masterKey: this.key,
      enforceSSL: true,
    });
    this.notices.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.notices.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    if (noticesEmail) {
      const unanswered = this.#queue('UndeliveredNotices');
      this.notices.addSubscription(new EmailSubscription(noticesEmail, { deadLetterQueue: unanswered }));
    }
  }

  /** A log group whose name is known beforehand, so that a role's permission is exactly this group. */
  logGroup(scope: Construct, logGroupName: string): LogGroup {
    return new LogGroup(scope, 'Logs', {
      logGroupName,
      encryptionKey: this.key,
      retention: this.#environment.logRetention,
      removalPolicy: removalPolicyOf(this.#environment),
    });
  }

  #operationsKey(): Key {
    const stack = Stack.of(this);
    const key = new Key(this, 'Key', {
      description: `Bordereau ${this.#environment.name}: logs and notices`,
      enableKeyRotation: true,
      removalPolicy: removalPolicyOf(this.#environment),
    });
    const logGroups = stack.formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: '*',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
        actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
        resources: ['*'],
        conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': logGroups } },
      }),
    );
    key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
      }),
    );
    return key;
  }

  #queue(id: string): Queue {
    return new Queue(this, id, {
      // what arrives here holds keys and counts, never rows
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
  }
}
